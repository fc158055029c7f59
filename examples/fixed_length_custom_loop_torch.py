"""Trains on sequences of one length in a loop of one's own: batches of 32, of which the last one is smaller.

The usual trap: the loss printed for an epoch is that of its last batch, or a mean of batch means, in which the four
sequences of the last batch weigh as much as the 32 of any other. Here the sums are divided once, by all sequences.

Example, on the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/fixed_length_custom_loop_torch.py --epochs 20
"""

import argparse

import numpy as np
import torch
from torch import nn

import drystone as ds
from drystone.torch import LSTM, batches


def recordings() -> ds.Sequences:
    """100 recordings × 10 steps × 3 features, and whether each is of one of the first four speakers."""
    seqs = ds.read("japanese-vowels")
    long_enough = seqs.select(np.flatnonzero(seqs.lengths >= 10)).truncate(10)
    rng = np.random.default_rng(0)
    chosen = [long_enough[index] for index in rng.permutation(len(long_enough))[:100]]
    return ds.Sequences.from_arrays(
        per_step={"x": [each["x"][:, :3] for each in chosen]},
        per_sequence={"y": np.array([each["speaker"] in ("1", "2", "3", "4") for each in chosen], dtype="f")},
    )


class Classifier(nn.Module):
    """Says how likely a sequence is of class 1."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = LSTM(3, 64)
        self.head = nn.Linear(64, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output, _ = self.lstm(x)  # every row is full, so no masks are needed
        return torch.sigmoid(self.head(output[:, -1])).squeeze(-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()

    torch.manual_seed(0)
    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    loader = ds.Loader(recordings(), ds.Padded(32))  # a pass is an epoch, in another order each time
    for epoch in range(args.epochs):
        loss_sum, right, count = 0.0, 0, 0
        for batch in batches(loader):
            probability = model(batch["x"])
            loss = nn.functional.binary_cross_entropy(probability, batch["y"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(probability)
            right += int(((probability > 0.5) == (batch["y"] > 0.5)).sum())
            count += len(probability)
        print(f"epoch {epoch + 1}: loss {loss_sum / count:.4f}, accuracy {right / count:.1%} of {count} sequences")


if __name__ == "__main__":
    main()
