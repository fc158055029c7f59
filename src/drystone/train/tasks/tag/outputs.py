"""What is said at a step, whichever kind it is."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from jaxtyping import Float
from torch import Tensor
from torchmetrics import Metric

from drystone.core.errors import DataError
from drystone.core.lengths import place_of
from drystone.core.sequences import Sequences


class Outputs(ABC):
    """What a model says at a step: how targets become numbers, what is minimised, and what is told of it."""

    kind: ClassVar[str]
    baseline: ClassVar[str]
    """What the predictions are called that `trivial` makes."""
    is_scaled: ClassVar[bool] = False
    """Whether the model's outputs are numbers in units of the targets' standard deviation."""

    @classmethod
    @abstractmethod
    def of(cls, seqs: Sequences, target: str) -> "Outputs":
        """Returns what is to be said of a target of this kind.

        Raises:
            DataError: a target is missing, or there is nothing to tell apart.
        """

    @classmethod
    @abstractmethod
    def from_plain(cls, plain: Any) -> "Outputs":
        """Returns what `to_plain` wrote."""

    @abstractmethod
    def to_plain(self) -> Any:
        """Returns what JSON can hold, and `from_plain` reads."""

    @property
    @abstractmethod
    def num_outputs(self) -> int:
        """The numbers that the model gives at a step."""

    @property
    @abstractmethod
    def target_shape(self) -> tuple[int, ...]:
        """The shape of what `encoded` makes of one step."""

    @abstractmethod
    def check(self, seqs: Sequences, target: str) -> None:
        """Raises DataError where targets cannot be measured against; the message names the step."""

    @abstractmethod
    def encoded(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Returns targets [steps, *shape] as numbers, [steps, *target_shape]; what `check` refuses may become anything."""

    @abstractmethod
    def trivial(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Returns [outputs] what a model that learned nothing but the share of each answer would say, as `readable` takes it.

        Args:
            targets: [steps, *target_shape], encoded; of the training part.
        """

    @abstractmethod
    def losses(self, outputs: Float[Tensor, "cells outputs"], targets: Tensor) -> Float[Tensor, " cells"]:
        """Returns the loss of each cell; `targets` is [cells, *target_shape], scaled where `is_scaled` says so."""

    @abstractmethod
    def readable(self, outputs: Float[Tensor, "*any outputs"]) -> Float[Tensor, "*any outputs"]:
        """Returns probabilities, or numbers as they are, of outputs in units of the target."""

    @abstractmethod
    def metrics(self) -> dict[str, Metric]:
        """Returns the figures beside the loss, of what `readable` says and targets as they were encoded."""

    @abstractmethod
    def names(self, target: str) -> tuple[str, ...]:
        """Returns what each number of what `readable` says is called."""

    @abstractmethod
    def columns(self, target: str, found: npt.NDArray[np.float64]) -> dict[str, list[Any]]:
        """Returns what `readable` says, [steps, outputs], as columns with one entry a step."""

    @abstractmethod
    def __str__(self) -> str:
        """What is said, in words, such as "5 classes"."""


def refuse_first(wrong: npt.NDArray[np.bool_], seqs: Sequences, target: str, words: str) -> None:
    """Raises DataError at the first step that is wrong.

    Args:
        wrong: [steps] which are.
        seqs: the sequences.
        target: the field.
        words: what is said after the value and the place.
    """
    if wrong.any():
        at = int(np.argmax(wrong))
        sequence, step = place_of(at, seqs.lengths)
        value = seqs.field(target)[sequence][step]
        shown = value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
        raise DataError(f"target {target!r} is {shown!r} in {seqs.place(sequence, step)}{words}")


def shape_of(seqs: Sequences, target: str) -> tuple[int, ...]:
    """Returns the shape of one step of a target.

    Raises:
        DataError: it does not hold numbers.
    """
    field = seqs.field(target)
    if not field.is_numeric:
        raise DataError(f"target {target!r} is {field.describe()} a step; the model says numbers or yes/no.")
    return field.item_shape
