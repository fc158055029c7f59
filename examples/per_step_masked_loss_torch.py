"""Trains and scores an output at every step (tagging), over real steps only.

The usual trap: a mask is worked out and then not used, so that padding counts as steps that are easy to get right; or the
mean is taken over all cells of a batch, and an epoch is a mean of such means. Here losses are taken at `batch.scored`
and summed; one division, by all scored steps, gives the epoch's figure, whatever the layout.

Example, on the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/per_step_masked_loss_torch.py --layout packed
"""

import argparse

import torch
from torch import Tensor, nn

import drystone as ds
from drystone.torch import LSTM, TensorBatch, batches

LAYOUTS = {
    "padded": ds.Padded(32),
    "bucketed": ds.Bucketed(num_buckets=4, batch_size=32),
    "packed": ds.Packed(sequences=32),
}


class Tagger(nn.Module):
    """Says at every step who is speaking."""

    def __init__(self, features: int, hidden: int, labels: int) -> None:
        super().__init__()
        self.lstm = LSTM(features, hidden, bidirectional=True)
        self.head = nn.Linear(2 * hidden, labels)

    def forward(self, batch: TensorBatch) -> Tensor:
        return self.head(self.lstm.run(batch["x"], batch.grid).output)  # [rows, steps, labels]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layout", choices=tuple(LAYOUTS), default="packed")
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args()

    seqs = ds.read("japanese-vowels")
    labels = sorted(set(seqs.field("speaker").values))
    tags = [[labels.index(each["speaker"])] * len(each["x"]) for each in seqs]
    tagged = ds.Sequences.from_arrays({"x": [each["x"] for each in seqs], "tag": tags})
    train, test = (tagged.select([each["part"] == part for each in seqs]) for part in ("train", "test"))

    torch.manual_seed(0)
    model = Tagger(12, 32, len(labels))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

    def run_over(loader: ds.Loader) -> tuple[float, float]:
        """Returns loss and accuracy over all scored steps of an epoch; trains where gradients are on."""
        loss_sum, right, count = 0.0, 0, 0
        for batch in batches(loader):
            scored = batch.scored  # real steps with a target
            logits, target = model(batch)[scored], batch["tag"][scored]
            losses = nn.functional.cross_entropy(logits, target, reduction="none")
            if torch.is_grad_enabled():
                optimizer.zero_grad()
                losses.mean().backward()
                optimizer.step()
            loss_sum += losses.sum().item()
            right += int((logits.argmax(-1) == target).sum())
            count += len(target)
        return loss_sum / count, right / count

    loader = ds.Loader(train, LAYOUTS[args.layout])
    for epoch in range(args.epochs):
        loss, accuracy = run_over(loader)
        print(f"epoch {epoch + 1}: loss {loss:.4f}, accuracy {accuracy:.1%} of {train.num_steps} steps")
    with torch.no_grad():
        for name, layout in LAYOUTS.items():
            loss, accuracy = run_over(ds.Loader(test, layout))
            print(f"test, {name}: loss {loss:.4f}, accuracy {accuracy:.1%} of {test.num_steps} steps")


if __name__ == "__main__":
    main()
