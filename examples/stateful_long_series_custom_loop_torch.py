"""Trains on one long series in a loop of one's own in PyTorch: 32 rows of 20 steps, the state carried over batches.

The usual trap: row i of a batch does not continue row i of the batch before; the remainder of the series is thrown
away; and the target is among the inputs. Here the series is cut into 32 parts, one a row, each with the 20 steps
before it to warm its state up; the last cells are marked as padding, and the target is the next step of the first field.

Example, with a CSV of one series, several numbers a line:
    python examples/stateful_long_series_custom_loop_torch.py ETTh1.csv --time date
"""

import argparse

import numpy as np
import torch
from torch import nn

import drystone as ds
from drystone.torch import LSTM, batches


def series_of(path: str, time: str) -> ds.Sequences:
    """One series of all numbers of a file, standardised by its first 80%."""
    table = ds.read(path, order_by=time)
    names = [name for name in table.field_names if name != time and table.field(name).is_numeric]
    x = np.stack([table.field(name).values for name in names], axis=1).astype("float32")
    known = x[: int(0.8 * len(x))]
    return ds.Sequences.from_arrays({"x": [(x - known.mean(0)) / known.std(0)]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a CSV or Parquet file of one series")
    parser.add_argument("--time", default="date", help="the column that orders the steps")
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()

    series = series_of(args.data, args.time).ahead("x", [1], name="next")
    num_features = series.field("x").item_shape[0]
    parts = series.cut(args.rows, lead=args.steps)
    loader = ds.Loader(parts, ds.Stateful(rows=args.rows, steps=args.steps))
    print(f"{series.num_steps} steps of {num_features} numbers; {parts.notes[-1]}")

    torch.manual_seed(0)
    lstm, head = LSTM(num_features, args.hidden), nn.Linear(args.hidden, 1)
    optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=3e-3)
    for epoch in range(args.epochs):
        state = None  # every row starts from zeros: the end of one epoch is not what comes before the next
        error_sum, count = 0.0, 0
        for batch in batches(loader):
            result = lstm.run(batch["x"], batch.grid, state)
            state = tuple(part.detach() for part in result.state)  # the state goes on, gradients end here
            forecast, following = head(result.output)[..., 0], batch["next"][:, :, 0, 0]
            errors = (forecast - following)[batch.scored].square()  # past the warm-up, and where there is a next step
            optimizer.zero_grad()
            errors.mean().backward()
            optimizer.step()
            error_sum, count = error_sum + errors.sum().item(), count + len(errors)
        print(f"epoch {epoch + 1}: mean squared error {error_sum / count:.4g} of {count} steps")


if __name__ == "__main__":
    main()
