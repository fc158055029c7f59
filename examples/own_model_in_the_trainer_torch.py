"""Trains a model of one's own with the ready trainer: checkpoints, early stopping, and going on after a stop.

The usual trap: a checkpoint holds weights and an epoch, but not the optimiser, the place in the epoch, the random numbers and
the sums so far; a training that goes on from it is another one. Here it ends with the same weights to the bit.

Example, on the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/own_model_in_the_trainer_torch.py checkpoints --stop-at 40
    python examples/own_model_in_the_trainer_torch.py checkpoints
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn
from torchmetrics.classification import MulticlassAccuracy

import drystone as ds
from drystone.torch import LSTM, TensorBatch, pool
from drystone.train import Best, EarlyStopping, Evaluated, Evaluator, MetricsLog, Outcome, Recipe, Saver, Store, Trainer

LABELS = [str(speaker) for speaker in range(1, 10)]


class Speaker(nn.Module):
    """Weighs the steps of a sequence before it takes their sum."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.lstm = LSTM(features, hidden, bidirectional=True, variational_dropout=0.2)
        self.weigh = nn.Sequential(nn.Linear(2 * hidden, 1), nn.Sigmoid())
        self.head = nn.Linear(2 * hidden, len(LABELS))

    def forward(self, batch: TensorBatch) -> Tensor:
        output = self.lstm.run(batch["x"], batch.grid, epoch=batch.epoch).output
        return self.head(pool(self.weigh(output) * output, batch.grid, "sum"))  # [sequences, labels]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the checkpoints; what is there is gone on with")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--stop-at", type=int, metavar="UPDATE", help="stops there, as if the machine had to go")
    args = parser.parse_args()

    seqs = ds.read("japanese-vowels")
    recordings = seqs.select([each["part"] == "train" for each in seqs])
    is_valid = [number % 5 == 0 for number in range(len(recordings))]
    train, valid = recordings.select([not each for each in is_valid]), recordings.select(is_valid)

    loader = ds.Loader(train, ds.Packed(sequences=16), seed=0)
    torch.manual_seed(0)
    model = Speaker(12, args.hidden)

    def objective(model: nn.Module, batch: TensorBatch, _state: None) -> Outcome:
        logits = model(batch)
        targets = torch.tensor([LABELS.index(label) for label in batch["speaker"]])
        loss = nn.functional.cross_entropy(logits, targets, reduction="sum")
        return Outcome(loss=loss, weight=len(targets), predictions=logits, targets=targets)

    evaluator = Evaluator(
        objective, ds.Loader(valid, ds.Padded(32)), {"accuracy": MulticlassAccuracy(9, average="micro")}
    )
    trainer = Trainer(model, loader, objective, Recipe(epochs=args.epochs, learning_rate=0.01), evaluator=evaluator)
    args.folder.mkdir(exist_ok=True)
    best = Best(monitor="loss", higher_is_better=False)
    saver = Saver(trainer, Store(args.folder), MetricsLog(args.folder / "metrics.jsonl"), best, seconds=10)
    checkpoint, _ = Store(args.folder).newest()
    if checkpoint is not None:
        saver.load(checkpoint)
        print(f"going on after update {trainer.counts.updates}")

    early_stopping = EarlyStopping(best, 8, trainer.stop)
    for event in trainer.run():
        for watch in (saver.log, best, early_stopping, saver):
            watch(event)
        if isinstance(event, Evaluated):
            loss, accuracy = event.figures["loss"], event.figures["accuracy"]
            print(f"epoch {event.epoch}: validation loss {loss:.4f}, accuracy {accuracy:.1%}")
        if trainer.counts.updates == args.stop_at:
            saver.save()
            print(f"stopped after update {args.stop_at}")
            return
    total = sum(parameter.sum().item() for parameter in model.parameters())
    print(f"best: loss {best.value:.4f} after update {best.update}; all weights add up to {total:.9f}")


if __name__ == "__main__":
    main()
