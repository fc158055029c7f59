"""Trains on five sequences of 10, 15, 20, 12 and 22 steps × 1 feature in batches of two, the last of which has one.

The usual trap: no mask at all, so that the state goes on through the padding and the last column is read as a sequence's
end; or a fourth axis, because one feature a step is a plain list of numbers. `Sequences` takes lists of numbers as they
are, [rows, steps] in a batch; the LSTM wants [rows, steps, 1].

Example, on five of the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/odd_lengths_batches_of_two_torch.py
"""

import argparse

import numpy as np
import torch
from torch import nn

import drystone as ds
from drystone.torch import LSTM, batches

LENGTHS = (10, 15, 20, 12, 22)


def five_sequences() -> tuple[list[np.ndarray], list[float]]:
    """The first feature of a recording of each length; the target is the mean of the second one."""
    seqs = ds.read("japanese-vowels")
    chosen = [seqs[int(np.flatnonzero(seqs.lengths == length)[0])]["x"] for length in LENGTHS]
    return [x[:, 0] for x in chosen], [float(x[:, 1].mean()) for x in chosen]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=100)
    args = parser.parse_args()

    arrays, targets = five_sequences()
    seqs = ds.Sequences.from_arrays(per_step={"x": arrays}, per_sequence={"y": np.array(targets, dtype="f")})
    loader = ds.Loader(seqs, ds.Padded(2))
    torch.manual_seed(0)
    lstm, head = LSTM(1, 16), nn.Linear(16, 1)
    optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=1e-2)
    for epoch in range(args.epochs):
        error_sum, count = 0.0, 0
        for batch in batches(loader):
            run = lstm.run(batch["x"].unsqueeze(-1), batch.grid)
            errors = (head(run.final_h[-1]).squeeze(-1) - batch["y"]) ** 2  # at each sequence's own last step
            optimizer.zero_grad()
            errors.mean().backward()
            optimizer.step()
            error_sum, count = error_sum + errors.sum().item(), count + len(errors)
            if epoch == 0:
                print(f"a batch of {batch.shape[0]} × {batch.shape[1]} cells, {int(batch.valid.sum())} of them real")
        if epoch in (0, args.epochs - 1):
            print(f"epoch {epoch + 1}: mean squared error {error_sum / count:.4f} of {count} sequences")

    with torch.no_grad():
        batch = next(batches(ds.Loader(seqs, ds.Padded(5, order="given"))))
        together = lstm.run(batch["x"].unsqueeze(-1), batch.grid).final_h[-1]
        alone = torch.cat([lstm(torch.tensor(x).unsqueeze(-1))[1][0] for x in arrays])
    print(f"alone or in a batch: results differ by at most {(together - alone).abs().max():.1e}")


if __name__ == "__main__":
    main()
