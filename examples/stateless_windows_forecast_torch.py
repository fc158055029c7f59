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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a CSV or Parquet file of one series")
    parser.add_argument("--time", default="ts", help="the column that orders the steps")
    parser.add_argument("--field", default="y", help="the column to forecast")
    parser.add_argument("--steps", type=int, default=168, help="steps of a window")
    parser.add_argument("--horizon", type=int, default=24, help="steps to forecast, at most those of a window")
    parser.add_argument("--stride", type=int, default=6, help="steps between the starts of training windows")
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()

    torch.manual_seed(0)
    series = ds.read(args.data, order_by=args.time).ahead(args.field, range(1, args.horizon + 1), name="target")
    train, _, test = series.split_by_time(fractions=(0.7, 0.15, 0.15), context=args.steps)
    known = train.field(args.field).values
    model = Forecaster(args.horizon, args.hidden, float(known.mean()), float(known.std()))

    windows = train.windows(args.steps, stride=args.stride, horizon=args.horizon)
    loader = ds.Loader(windows, ds.Padded(32), seed=0)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(args.epochs):
        for batch in batches(loader, dtype=torch.float32):
            loss = (model(batch, args.field) - batch["target"][batch.scored]).abs().mean() / model.deviation
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    later = test.windows(args.steps, stride=args.horizon, horizon=args.horizon)
    errors = torch.zeros(2)
    with torch.no_grad():
        for batch in batches(ds.Loader(later, ds.Padded(256, order="given")), dtype=torch.float32):
            target = batch["target"][batch.scored]
            errors[0] += (model(batch, args.field) - target).abs().sum()
            errors[1] += (batch[args.field][:, -args.horizon :] - target).abs().sum()
    error, naive = (errors / (len(later) * args.horizon)).tolist()
    print(f"{len(windows)} training windows, {len(later)} test windows")
    print(f"test: mean absolute error {error:.4g}; repeating the last {args.horizon} steps {naive:.4g}")


if __name__ == "__main__":
    main()
