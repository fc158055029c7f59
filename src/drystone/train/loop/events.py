"""What a trainer tells those who watch it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """One optimiser step was made.

    Args:
        update: how many were made, this one counted.
        epoch: the epoch that it belongs to, counted from 0.
        progress: of the whole training, 0 … 1, this update counted.
        loss: Σ weighted loss ÷ Σ weight of its batches, before the step.
        weight: Σ weight.
        sequences, steps: how many sequences ended in its batches, and how many real steps ran.
        learning_rate: of the first group of parameters.
        gradient_norm: before clipping; None where gradients are not clipped.
        seconds: that it took, with the making of its batches.
    """

    update: int
    epoch: int
    progress: float
    loss: float
    weight: float
    sequences: int
    steps: int
    learning_rate: float
    gradient_norm: float | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochEnded:
    """An epoch is over, or training is in the middle of one.

    Args:
        epoch: counted from 0.
        update: how many updates were made by now.
        figures: of the updates of this epoch, sums over sums: loss, metrics, sequences, steps, seconds.
        is_whole: whether all of its batches were trained on.
    """

    epoch: int
    update: int
    figures: Mapping[str, float]
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """The validation part was evaluated.

    Args:
        epoch: how many epochs were ended.
        update: how many updates were made.
        figures: sums over sums: loss, metrics, sequences, steps, seconds.
    """

    epoch: int
    update: int
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Training came to its end.

    Args:
        epoch: how many epochs were ended.
        update: how many updates were made.
        reason: which limit was reached: "epochs", "updates", "seconds"; or what `Trainer.stop` was told.
    """

    epoch: int
    update: int
    reason: str


Event = Updated | EpochEnded | Evaluated | Ended
