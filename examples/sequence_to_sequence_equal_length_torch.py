"""Trains on an output at every input step, with targets [rows, steps, features]: the next step of the same series.

The usual trap: final states are taken where the padded row ends, not where the sequence does, and whatever is built on
them (a summary, a decoder, the next chunk) starts from padding. `lstm.run` gives the state after each sequence's own
last step. The last step has no next one: `ahead` marks it as not scored, so that nobody learns to forecast zeros.

Example, on the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/sequence_to_sequence_equal_length_torch.py
"""

import argparse

import torch
from torch import nn

import drystone as ds
from drystone.torch import LSTM, batches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()

    seqs = ds.read("japanese-vowels")
    is_train = [each["part"] == "train" for each in seqs]
    targeted = seqs.ahead("x", [1], name="next")  # [steps, 1, 12]: the step after
    train, test = targeted.select(is_train), targeted.select([not chosen for chosen in is_train])

    torch.manual_seed(0)
    lstm, head = LSTM(12, args.hidden, num_layers=2), nn.Linear(args.hidden, 12)
    optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=3e-3)

    def run_over(loader: ds.Loader) -> tuple[float, float]:
        """Returns the mean squared error over all scored steps, ours and that of no change."""
        sums, count = torch.zeros(2), 0
        for batch in batches(loader):
            result = lstm.run(batch["x"], batch.grid)
            scored, target = batch.scored, batch["next"].squeeze(2)
            errors = ((batch["x"] + head(result.output) - target)[scored] ** 2).mean(-1)
            if torch.is_grad_enabled():
                optimizer.zero_grad()
                errors.mean().backward()
                optimizer.step()
            no_change = ((batch["x"] - target)[scored] ** 2).mean(-1)
            sums += torch.stack([errors.detach().sum(), no_change.sum()])
            count += len(errors)
        ours, naive = (sums / count).tolist()
        return ours, naive

    loader = ds.Loader(train, ds.Bucketed(num_buckets=4, batch_size=16))
    for _ in range(args.epochs):
        run_over(loader)
    with torch.no_grad():
        ours, naive = run_over(ds.Loader(test, ds.Packed(sequences=64)))
        batch = next(batches(ds.Loader(test, ds.Packed(sequences=64))))
        result = lstm.run(batch["x"], batch.grid)
        at_ends = result.output[batch.ends.row, batch.ends.step]
    print(f"test: mean squared error {ours:.4g} of the next step; forecasting no change {naive:.4g}")
    print(f"final states are those of the ends: {bool((result.final_h[-1] == at_ends).all())}")


if __name__ == "__main__":
    main()
