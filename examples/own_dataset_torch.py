"""Trains on one's own PyTorch Dataset: drystone plans the batches, a DataLoader with workers fetches the items.

The usual trap: a `collate_fn` sorts or pads the sequences but not their targets along, and the classifier reads the last
column, which is padding for all but the longest sequence. Here `batch.ends` says where each sequence ends and which it
is, `batch["y"]` has that order, and the LSTM knows which cells are real.

Example, on the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/own_dataset_torch.py --workers 2
"""

import argparse
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

import drystone as ds
from drystone.torch import LSTM, BatchSampler, Collate, Placed, TensorBatch


class Recordings(Dataset[Any]):
    """Stands for any dataset of yours: item i is (values [steps, features], label)."""

    def __init__(self, part: str) -> None:
        seqs = ds.read("japanese-vowels")
        self.seqs = seqs.select([each["part"] == part for each in seqs])
        self.labels = sorted(set(seqs.field("speaker").values))

    def __len__(self) -> int:
        return len(self.seqs)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        item = self.seqs[index]
        return torch.from_numpy(item["x"].copy()), self.labels.index(item["speaker"])


class Classifier(nn.Module):
    """Says the label of each sequence at its last step."""

    def __init__(self, features: int, hidden: int, labels: int) -> None:
        super().__init__()
        self.lstm = LSTM(features, hidden)
        self.head = nn.Linear(hidden, labels)

    def forward(self, batch: TensorBatch) -> Tensor:
        output, _ = self.lstm(batch["x"], reset=batch.reset, valid=batch.valid)
        return self.head(output[batch.ends.row, batch.ends.step])  # [sequences, labels], in the order of batch["y"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=0, help="processes that fetch items")
    parser.add_argument("--epochs", type=int, default=30)
    args = parser.parse_args()

    def loader(data: Recordings, layout: ds.Layout) -> DataLoader[Any]:
        lengths = [len(data[index][0]) for index in range(len(data))]  # planning needs these, and nothing else
        sampler = BatchSampler(lengths, layout)
        return DataLoader(Placed(data), batch_sampler=sampler, collate_fn=Collate(), num_workers=args.workers)

    torch.manual_seed(0)
    train, test = Recordings("train"), Recordings("test")
    model = Classifier(12, 64, len(train.labels))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    batches = loader(train, ds.Bucketed(num_buckets=4, batch_size=16))
    for _ in range(args.epochs):
        for batch in batches:  # a new epoch, with other batches
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(batch), batch["y"]).backward()
            optimizer.step()
    right = 0
    with torch.no_grad():
        for batch in loader(test, ds.Padded(64, order="given")):
            right += int((model(batch).argmax(-1) == batch["y"]).sum())
    print(f"test: {right} of {len(test)} recordings right, {right / len(test):.1%}")


if __name__ == "__main__":
    main()
