"""Trains a classifier of texts that meets words it has never seen.

The usual trap: unknown words and padding share id 0, so unknown words are masked away with the padding; or the unknown word
has an id that never occurs in training, and so a vector that was never trained. Here padding is 0, the unknown word 1, and
each epoch reads half of the words that the training part has once as unknown.

Example, with a CSV of the columns text and label:
    python examples/text_oov_torch.py news.csv
"""

import argparse

import numpy as np
import torch
from torch import Tensor, nn

import drystone as ds
from drystone.core.documents import documents_of
from drystone.text import share_unknown
from drystone.text.kinds import PADDING, UNKNOWN
from drystone.torch import LSTM, TensorBatch, batches, pool


class Classifier(nn.Module):
    """Says the label of a text from the mean of what the LSTM makes of its words."""

    def __init__(self, words: int, labels: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(words, 32, padding_idx=PADDING)
        self.lstm = LSTM(32, 64, bidirectional=True)
        self.head = nn.Linear(128, labels)

    def forward(self, batch: TensorBatch, ids: Tensor) -> Tensor:
        output = self.lstm.run(self.vectors(ids), batch.grid).output
        return self.head(pool(output, batch.grid, "mean", bidirectional=True))  # [texts ending here, labels]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a CSV with the columns text and label")
    parser.add_argument("--min-count", type=int, default=1, help="words that occur less often are left out: unknown")
    parser.add_argument("--rate", type=float, default=0.5, help="share of the rarest words read as unknown in training")
    parser.add_argument("--epochs", type=int, default=5)
    args = parser.parse_args()

    seqs = ds.read(args.data, text="text")
    order = np.random.default_rng(0).permutation(len(seqs))
    seqs, num_train = seqs.select(order), int(0.8 * len(seqs))
    labels, y = np.unique(seqs.field("label").values, return_inverse=True)
    texts = documents_of(seqs)
    words = ds.Vocabulary.train(texts[:num_train], kind="words", lowercase=True, min_count=args.min_count)
    found = words.encode_documents(texts)
    tokens = ds.Sequences.from_ragged(np.append(0, np.cumsum(found.lengths)), {"token": found.ids}, {"y": y})
    train, test = tokens[:num_train], tokens[num_train:]
    for name, part in (("training", train), ("test", test)):
        share = share_unknown(part.field("token").values)
        print(f"{name} part: {len(part)} texts, {share:.1%} of their words unknown")

    torch.manual_seed(0)
    model = Classifier(len(words), len(labels))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    loader = ds.Loader(train, ds.Packed(sequences=32))
    for epoch in range(args.epochs):
        for batch in batches(loader):
            ids = batch.host["token"]
            step = np.broadcast_to(np.arange(ids.shape[1]), ids.shape)  # of the row: enough to tell tokens apart
            hidden = words.replaced(ids, batch.host.sequence, step, rate=args.rate, seed=0, epoch=epoch)
            logits = model(batch, torch.from_numpy(np.where(hidden, UNKNOWN, ids)))
            loss = nn.functional.cross_entropy(logits, batch["y"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    total, right = 0.0, 0
    with torch.no_grad():
        for batch in batches(ds.Loader(test, ds.Packed(sequences=32))):
            logits = model(batch, batch["token"])
            total += float(nn.functional.cross_entropy(logits, batch["y"], reduction="sum"))
            right += int((logits.argmax(dim=1) == batch["y"]).sum())
    usual = np.bincount(y[num_train:]).max() / len(test)
    print(
        f"test: loss {total / len(test):.4f}, accuracy {right / len(test):.1%}; always the most frequent label {usual:.1%}"
    )


if __name__ == "__main__":
    main()
