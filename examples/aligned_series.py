"""Trains over many series side by side: one row a series, one column a point in time, the state carried on.

The usual trap: series of different length are laid on rows by position. A gap then shifts a series against the others,
one that was listed late starts years too early, and a split by position trains on days that are the future of another
series' test. `Stateful(align=...)` makes each column one point in time; where a series has no value the cell is invalid
and its state waits. `split_by_time` splits all series at the same time.

Example, with a CSV of one day of one stock a line:
    python examples/aligned_series.py stocks.csv --id stock --time date --field price
"""

import argparse

import numpy as np
import torch
from torch import nn

import drystone as ds
from drystone.torch import LSTM, batches


def is_one_time_a_column(loader: ds.Loader, time: str) -> bool:
    """Whether the cells of a column, of all series that have a value there, are of the same time."""
    agree = []
    for batch in loader:
        times, valid = batch[time], batch.valid
        of_column = times[valid.argmax(axis=0), np.arange(valid.shape[1])]  # that of the first series that has one
        agree.append((times == of_column)[valid].all())
    return all(agree)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a CSV or Parquet file")
    parser.add_argument("--id", default="stock", help="the column that tells series apart")
    parser.add_argument("--time", default="date", help="the column of times, equal for steps of one column")
    parser.add_argument("--field", default="price", help="the column whose next value is forecast")
    parser.add_argument("--steps", type=int, default=32, help="steps over which gradients reach back")
    parser.add_argument("--hidden", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()

    torch.set_num_threads(1)  # the model is small: a second thread gains nothing, and costs much on a busy machine
    torch.manual_seed(0)
    series = ds.read(args.data, sequence_id=args.id, order_by=args.time).ahead(args.field, [1], name="next")
    train, test = series.split_by_time(fractions=(0.8, 0.2), context="before")  # what came before warms up the state
    known = train.field(args.field).values
    mean, deviation = float(known.mean()), float(known.std())
    layout = ds.Stateful(rows=None, steps=args.steps, align=args.time)
    lstm, head = LSTM(1, args.hidden), nn.Linear(args.hidden, 1)
    optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=3e-3)

    def run_over(seqs: ds.Sequences, epochs: int) -> tuple[float, float]:
        """Runs over all columns in the order of time; returns the squared errors, ours and that of no change."""
        loader = ds.Loader(seqs, layout)
        for _ in range(epochs):
            state, sums, count = None, torch.zeros(2), 0  # the state of one epoch is never that of the next
            for batch in batches(loader, dtype=torch.float32):
                x = (batch[args.field].unsqueeze(-1) - mean) / deviation
                result = lstm.run(x, batch.grid, state)
                state = tuple(part.detach() for part in result.state)  # gradients end here, the state goes on
                scored = batch.scored
                if not scored.any():
                    continue
                change = (batch["next"].squeeze(-1) - batch[args.field]) / deviation
                errors = (head(result.output).squeeze(-1) - change)[scored] ** 2
                if torch.is_grad_enabled():
                    optimizer.zero_grad()
                    errors.mean().backward()
                    optimizer.step()
                sums += torch.stack([errors.detach().sum(), (change[scored] ** 2).sum()])
                count += len(errors)
        ours, naive = (sums / count).tolist()
        return ours, naive

    run_over(train, args.epochs)
    with torch.no_grad():
        ours, naive = run_over(test, 1)
    plan = layout.plan(train)
    is_late = (plan.column("offset") == 0) & ((plan.column("batch") > 0) | (plan.column("step") > 0))
    print(
        f"{len(train)} series on {plan.shape(0)[0]} rows, {plan.num_batches} batches, "
        f"{plan.padding_fraction:.1%} of cells without a value; {is_late.sum()} series begin later than the first"
    )
    print(f"each column is one time for all: {is_one_time_a_column(ds.Loader(train, layout), args.time)}")
    print(f"test: mean squared error {ours:.4g} of the scaled change; forecasting no change {naive:.4g}")


if __name__ == "__main__":
    main()
