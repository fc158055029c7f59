"""The figures of an epoch: sums over its updates, divided once."""

from dataclasses import dataclass
from typing import Any

from drystone.train.evaluator import Scores
from drystone.train.loop import Update


@dataclass(slots=True)
class EpochSums:
    """What the updates of one epoch add up to."""

    epoch: int
    sequences: int = 0
    steps: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    seconds: float = 0.0

    def add(self, update: Update) -> None:
        """Adds one update."""
        self.sequences += update.sequences
        self.steps += update.steps
        self.loss_sum += update.loss_sum
        self.correct += update.correct
        self.seconds += update.seconds

    @property
    def loss(self) -> float:
        return self.loss_sum / self.sequences

    @property
    def accuracy(self) -> float:
        return self.correct / self.sequences

    @property
    def steps_per_second(self) -> float:
        return self.steps / self.seconds

    def record(self, valid: Scores | None) -> dict[str, Any]:
        """Returns a line of metrics.jsonl; epochs are counted from 1 there."""
        found: dict[str, Any] = {
            "part": "train",
            "epoch": self.epoch + 1,
            "loss": self.loss,
            "accuracy": self.accuracy,
            "steps_per_second": round(self.steps_per_second, 1),
            "seconds": round(self.seconds, 4),
        }
        if valid is not None:
            found |= {"valid_loss": valid.loss, "valid_accuracy": valid.accuracy}
        return found
