"""A validation pass with R² inside of a stateful training loop of one's own, in PyTorch.

The usual trap: R² is averaged over batches, which is not the R² of the whole; and the validation pass moves the state that
training goes on from. Here an evaluator counts over all validation steps and divides once; it carries a state of its own,
and leaves the model's modes and the random numbers as they were.

Example, with a CSV of one series, an hour a line:
    python examples/validation_in_the_loop_torch.py hourly_electricity.csv --time ts --field y
"""

import argparse
from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics.regression import R2Score

import drystone as ds
from drystone.torch import LSTM, TensorBatch, batches
from drystone.train import Evaluator, Outcome


class Forecaster(nn.Module):
    """Says the next step of a series at every step."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.lstm, self.head = LSTM(1, hidden), nn.Linear(hidden, 1)

    def forward(self, batch: TensorBatch, state: Any) -> tuple[Tensor, Any]:
        result = self.lstm.run(batch["x"], batch.grid, state)
        return batch["x"][..., 0] + self.head(result.output)[..., 0], result.state


def objective(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
    """The sum of squared errors over what is scored; the state goes on to the next batch."""
    outputs, state = model(batch, state)
    forecast, following = outputs[batch.scored], batch["next"][:, :, 0, 0][batch.scored]
    loss = (forecast - following).square().sum()
    return Outcome(loss=loss, weight=len(forecast), predictions=forecast, targets=following, state=state)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a CSV or Parquet file of one series")
    parser.add_argument("--time", default="ts", help="the column that orders the steps")
    parser.add_argument("--field", default="y", help="the column to forecast")
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--every", type=int, default=20, help="updates between validation passes")
    args = parser.parse_args()

    values = ds.read(args.data, order_by=args.time).field(args.field).values.astype("float32")
    known = values[: int(0.8 * len(values))]
    series = ds.Sequences.from_arrays({"x": [((values - known.mean()) / known.std())[:, None]]})
    targeted = series.ahead("x", [1], name="next")
    train, valid = targeted.split_by_time(fractions=(0.8, 0.2), context=args.steps)
    layout = ds.Stateful(rows=args.rows, steps=args.steps)
    evaluator = Evaluator(objective, ds.Loader(valid.cut(args.rows, lead=args.steps), layout), {"r2": R2Score()})
    loader = ds.Loader(train.cut(args.rows, lead=args.steps), layout)

    torch.manual_seed(0)
    model = Forecaster(args.hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(args.epochs):
        state = None  # every row starts from zeros
        for number, batch in enumerate(batches(loader), start=1):
            outcome = objective(model, batch, state)
            state = tuple(part.detach() for part in outcome.state)  # the state goes on, gradients end here
            optimizer.zero_grad()
            (outcome.loss / outcome.weight).backward()
            optimizer.step()
            if number % args.every == 0:  # in the middle of the epoch: the rows of training go on from where they were
                print(f"epoch {epoch + 1}, update {number}: validation R² {evaluator.figures(model)['r2']:.4f}")
        figures = evaluator.figures(model)
        print(f"epoch {epoch + 1}: validation R² {figures['r2']:.4f}, mean squared error {figures['loss']:.4g}")


if __name__ == "__main__":
    main()
