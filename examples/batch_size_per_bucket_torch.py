"""Trains on batches of similar lengths: a batch size for each bucket, or one budget of cells for all.

The usual trap: a budget counts the real steps of a batch, but memory is spent on its cells, padding included: one long
sequence among short ones then asks for many times the memory that was planned. `Bucketed(cells=...)` counts rows ×
steps. Batches of other sizes also weigh their sequences otherwise; this loop sums the loss over a batch's sequences and
divides by a fixed number, so that each sequence of an epoch moves the weights as much as any other.

Example, on the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/batch_size_per_bucket_torch.py --cells 400
"""

import argparse

import torch
from torch import Tensor, nn

import drystone as ds
from drystone.torch import LSTM, TensorBatch, batches


class Classifier(nn.Module):
    """Says the label of each sequence from its last state."""

    def __init__(self, features: int, hidden: int, labels: int) -> None:
        super().__init__()
        self.lstm = LSTM(features, hidden)
        self.head = nn.Linear(hidden, labels)

    def forward(self, x: Tensor, grid: ds.Grid) -> Tensor:
        return self.head(self.lstm.run(x, grid).final_h[-1])  # [sequences, labels], in the order of batch["y"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, help="a budget of rows × steps for every batch, in place of batch sizes")
    parser.add_argument("--epochs", type=int, default=30)
    args = parser.parse_args()

    seqs = ds.read("japanese-vowels")
    train, test = (seqs.select([each["part"] == part for each in seqs]) for part in ("train", "test"))
    labels = sorted(set(seqs.field("speaker").values))
    if args.cells:
        layout = ds.Bucketed(boundaries=(10, 14, 18, 22), cells=args.cells)
    else:
        layout = ds.Bucketed(boundaries=(10, 14, 18, 22), batch_size=(64, 32, 16, 8, 4))

    def target(batch: TensorBatch) -> Tensor:
        return torch.tensor([labels.index(speaker) for speaker in batch["speaker"]])

    plan = layout.plan(train)
    for number in sorted({plan.shape(index) for index in range(plan.num_batches)}):
        print("rows × steps: {} × {}".format(*number))
    print(f"{plan.num_batches} batches, {plan.padding_fraction:.1%} padding")

    torch.manual_seed(0)
    model = Classifier(12, 64, len(labels))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    usual_size = len(train) / plan.num_batches
    loader = ds.Loader(train, layout)
    for _ in range(args.epochs):
        for batch in batches(loader):
            logits = model(batch["x"], batch.grid)
            loss = nn.functional.cross_entropy(logits, target(batch), reduction="sum") / usual_size
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    right = 0
    with torch.no_grad():
        for batch in batches(ds.Loader(test, ds.Padded(64, order="given"))):
            right += int((model(batch["x"], batch.grid).argmax(-1) == target(batch)).sum())
    print(f"test: {right} of {len(test)} recordings right, {right / len(test):.1%}")


if __name__ == "__main__":
    main()
