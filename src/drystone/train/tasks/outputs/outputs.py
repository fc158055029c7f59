"""What is said of an item, whichever kind it is: of a sequence, or of a step."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from jaxtyping import Float
from torch import Tensor
from torchmetrics import Metric

from drystone.core.errors import DataError
from drystone.core.field import Field
from drystone.core.lengths import place_of
from drystone.core.sequences import Sequences

PREDICTION = "prediction"


class Outputs(ABC):
    """What a model says of an item: how targets become numbers, what is minimised, and what is told of it.

    An item is a sequence, where the target has a value a sequence, else a step. An item asks for one answer or several.
    """

    kind: ClassVar[str]
    baseline: ClassVar[str]
    """What the predictions are called that `trivial` makes."""
    is_scaled: ClassVar[bool] = False
    """Whether the model's outputs are numbers in units of the targets' standard deviation."""
    activation: ClassVar[str]
    """What `readable` applies to outputs: softmax, sigmoid or linear."""
    prediction_type: ClassVar[pa.DataType | None] = None
    """The type of the column `prediction`, where its values do not tell it, as empty lists do not."""

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
        """The numbers that the model gives of an item."""

    @property
    @abstractmethod
    def target_shape(self) -> tuple[int, ...]:
        """The shape of what `encoded` makes of one item."""

    @abstractmethod
    def meanings(self, target: str) -> list[Any]:
        """Returns what each number of an output stands for: a class, an answer, a number of the target."""

    def choices(self, target: str) -> Mapping[str, tuple[int, int]]:
        """Returns which answers can be weighted: by the name that users give, the number of the answer and its value.

        Of what is no choice there are none.
        """
        return MappingProxyType({})

    @abstractmethod
    def check(self, seqs: Sequences, target: str) -> None:
        """Raises DataError where targets cannot be measured against; the message names the place."""

    @abstractmethod
    def encoded(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Returns targets [items, *shape] as numbers, [items, *target_shape]; what `check` refuses may become anything."""

    @abstractmethod
    def trivial(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Returns [outputs] what a model that learned nothing but the share of each answer would say, as `readable` takes it.

        Args:
            targets: [items, *target_shape], encoded; of the training part.
        """

    @abstractmethod
    def losses(
        self, outputs: Float[Tensor, "items outputs"], targets: Tensor, label_smoothing: float = 0.0
    ) -> Float[Tensor, "items answers"]:
        """Returns the loss of each answer; that of an item is their sum.

        Args:
            outputs: of the model.
            targets: [items, *target_shape], scaled where `is_scaled` says so.
            label_smoothing: the share of each target that is spread over all choices.
        """

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
        """Returns what `readable` says, [items, outputs], as columns with one entry an item, `prediction` first."""

    def table(self, known: Mapping[str, Any], columns: Mapping[str, list[Any]]) -> pa.Table:
        """Returns what `columns` says as a table, after what is known of the items."""
        if self.prediction_type is None:
            return pa.table({**known, **columns})
        return pa.table({**known, **columns, PREDICTION: pa.array(columns[PREDICTION], self.prediction_type)})

    @abstractmethod
    def __str__(self) -> str:
        """What is said, in words, such as "5 classes"."""


def item_of(field: Field) -> str:
    """Returns what the items of a target are, in a word."""
    return "step" if field.per_step else "sequence"


def refuse_first(wrong: npt.NDArray[np.bool_], seqs: Sequences, target: str, words: str) -> None:
    """Raises DataError at the first item that is wrong.

    Args:
        wrong: [items] which are.
        seqs: the sequences.
        target: the field.
        words: what is said after the value and the place.
    """
    if wrong.any():
        at, field = int(np.argmax(wrong)), seqs.field(target)
        sequence, step = place_of(at, seqs.lengths) if field.per_step else (at, None)
        value = field[sequence] if step is None else field[sequence][step]
        shown = value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
        raise DataError(f"target {target!r} is {shown!r} in {seqs.place(sequence, step)}{words}")
