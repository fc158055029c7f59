"""Predicts over a new, longer series in order, the state carried from chunk to chunk; as many predictions as steps.

The usual trap: the last steps don't fill a batch and their predictions are lost; or predicting moves the state that training
goes on from. Here the last chunk is padded and marked, and a state is a value that is passed on: the one of a prediction
starts from zeros and ends with it, and that of training is another one.

Example, with a CSV of one series, an hour a line:
    python examples/stateful_prediction_torch.py hourly_electricity.csv --time ts --field y
"""

import argparse

import numpy as np
import torch
from torch import Tensor, nn

import drystone as ds
from drystone.torch import LSTM, TensorBatch, batches

State = tuple[Tensor, Tensor]


class Forecaster(nn.Module):
    """Says the next step of a series at every step."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.lstm, self.head = LSTM(1, hidden), nn.Linear(hidden, 1)

    def forward(self, batch: TensorBatch, state: State | None) -> tuple[Tensor, State]:
        result = self.lstm.run(batch["x"], batch.grid, state)
        h, c = result.state
        return batch["x"][..., 0] + self.head(result.output)[..., 0], (h.detach(), c.detach())


def predictions(model: Forecaster, series: ds.Sequences, steps: int) -> np.ndarray:
    """One for each step of one series, in its order."""
    state, found = None, []
    with torch.no_grad():
        for batch in batches(ds.Loader(series, ds.Stateful(rows=1, steps=steps))):
            following, state = model(batch, state)
            found.append(following[batch.valid])  # of the last chunk, what is no padding
    return torch.cat(found).numpy()


def trained(parts: ds.Sequences, args: argparse.Namespace, new: ds.Sequences | None = None) -> Forecaster:
    """Trains a model; where there is a new series, predicts it after every batch."""
    torch.manual_seed(0)
    model = Forecaster(args.hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    loader = ds.Loader(parts, ds.Stateful(rows=args.rows, steps=args.steps))
    for _ in range(args.epochs):
        state = None
        for batch in batches(loader):
            following, state = model(batch, state)
            loss = (following - batch["next"][:, :, 0, 0])[batch.scored].square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if new is not None:
                predictions(model, new, args.steps)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a CSV or Parquet file of one series")
    parser.add_argument("--time", default="ts", help="the column that orders the steps")
    parser.add_argument("--field", default="y", help="the column to forecast")
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()

    values = ds.read(args.data, order_by=args.time).field(args.field).values.astype("float32")
    cut = len(values) // 3  # a third to train on; the new series is longer
    scaled = ((values - values[:cut].mean()) / values[:cut].std())[:, None]
    old, new = (ds.Sequences.from_arrays({"x": [part]}) for part in (scaled[:cut], scaled[cut:]))
    rows = old.ahead("x", [1], "next").cut(args.rows, lead=args.steps)

    model = trained(rows, args)
    disturbed = trained(rows, args, new.truncate(2 * args.steps))
    found, whole = predictions(model, new, args.steps), predictions(model, new, new.num_steps)
    known = new[0]["x"][:, 0]
    same = all(map(torch.equal, model.parameters(), disturbed.parameters()))
    print(f"{len(found)} predictions for {new.num_steps} steps")
    print(f"in chunks or in one pass: they differ by at most {abs(found - whole).max():.1e}")
    print(f"predicting after every batch of training changes no weight: {same}")
    print(
        f"mean squared error {np.square(found[:-1] - known[1:]).mean():.4g} of the next step; "
        f"forecasting no change {np.square(np.diff(known)).mean():.4g}"
    )


if __name__ == "__main__":
    main()
