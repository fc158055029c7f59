"""Forecasts a series from windows of its past, with an LSTM that keeps no state between windows.

The usual trap: windows are cut first and split afterwards, so that those of the test period overlap the training
period; and the scaling is fitted on all of the data. Here the series is split by time before windows are made, so that
no two parts score the same target; `context` lets the inputs of a part, and only those, reach back into the one before.
Mean and deviation are those of the training part.

Example, with a CSV of one series, an hour a line:
    python examples/stateless_windows_forecast_torch.py hourly_electricity.csv --time ts --field y
"""

import argparse

import torch
from torch import Tensor, nn

import drystone as ds
from drystone.torch import LSTM, TensorBatch, batches


class Forecaster(nn.Module):
    """Reads a window, and says at its last step how the next values will differ from the last ones."""

    def __init__(self, horizon: int, hidden: int, mean: float, deviation: float) -> None:
        super().__init__()
        self.horizon, self.mean, self.deviation = horizon, mean, deviation
        self.lstm = LSTM(1, hidden)
        self.head = nn.Linear(hidden, horizon)

    def forward(self, batch: TensorBatch, field: str) -> Tensor:
        x = (batch[field].unsqueeze(-1) - self.mean) / self.deviation
        output, _ = self.lstm(x, reset=batch.reset, valid=batch.valid)
        change = self.head(output[batch.scored])  # [windows, horizon]: only the last step of a window is scored
        return batch[field][:, -self.horizon :] + self.deviation * change


def errors(model: Forecaster, windows: ds.Sequences, field: str) -> tuple[float, float]:
    """Returns the mean absolute error of the model, and of repeating the last values."""
    sums, steps = torch.zeros(2, dtype=torch.float64), 0
    with torch.no_grad():
        for batch in batches(ds.Loader(windows, ds.Padded(256, order="given")), dtype=torch.float32):
            target = batch["target"][batch.scored]
            sums[0] += (model(batch, field) - target).abs().sum()
            sums[1] += (batch[field][:, -model.horizon :] - target).abs().sum()
            steps += target.numel()
    return tuple((sums / steps).tolist())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a CSV or Parquet file of one series")
    parser.add_argument("--time", default="ts", help="the column that orders the steps")
    parser.add_argument("--field", default="y", help="the column to forecast")
    parser.add_argument("--steps", type=int, default=168, help="steps of a window")
    parser.add_argument("--horizon", type=int, default=24, help="steps to forecast, at most those of a window")
    parser.add_argument("--stride", type=int, default=6, help="steps between the starts of training windows")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=6)
    args = parser.parse_args()

    torch.manual_seed(0)
    series = ds.read(args.data, order_by=args.time).ahead(args.field, range(1, args.horizon + 1), name="target")
    parts = series.split_by_time(fractions=(0.7, 0.15, 0.15), context=args.steps)
    strides = (args.stride, args.horizon, args.horizon)
    train, valid, test = (
        part.windows(args.steps, stride=stride, horizon=args.horizon)
        for part, stride in zip(parts, strides, strict=True)
    )
    known = parts[0].field(args.field).values
    model = Forecaster(args.horizon, args.hidden, float(known.mean()), float(known.std()))
    print(f"windows: {len(train)} to train on, {len(valid)} to choose the epoch by, {len(test)} to test")

    loader = ds.Loader(train, ds.Padded(32), seed=0)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    best, best_error = model.state_dict(), float("inf")
    for epoch in range(args.epochs):
        for batch in batches(loader, dtype=torch.float32):
            loss = (model(batch, args.field) - batch["target"][batch.scored]).abs().mean() / model.deviation
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        error, naive = errors(model, valid, args.field)
        print(f"epoch {epoch + 1}: validation error {error:.4g}; repeating the last {args.horizon} steps {naive:.4g}")
        if error < best_error:
            best, best_error = {name: value.clone() for name, value in model.state_dict().items()}, error

    model.load_state_dict(best)
    error, naive = errors(model, test, args.field)
    print(f"test: mean absolute error {error:.4g}; repeating the last {args.horizon} steps {naive:.4g}")


if __name__ == "__main__":
    main()
