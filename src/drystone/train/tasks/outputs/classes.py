"""One class an item."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.nn import functional
from torchmetrics import Metric
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.text.tags import is_bio
from drystone.train.features.categories import as_array, codes_of
from drystone.train.tasks.outputs.chunk_f1 import ChunkF1
from drystone.train.tasks.outputs.outputs import PREDICTION, Outputs, item_of, refuse_first

CHUNK_F1 = "chunk_f1"
MAX_NUMBERS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Classes(Outputs):
    """One of some classes: cross-entropy; the share of items whose class is the most probable one, and the macro F1.

    Args:
        classes: text, whole numbers or bools, sorted.
    """

    classes: tuple[Any, ...]
    kind: ClassVar[str] = "classes"
    baseline: ClassVar[str] = "majority class"
    activation: ClassVar[str] = "softmax"

    @classmethod
    def of(cls, seqs: Sequences, target: str) -> "Classes":
        """Returns the classes that occur in these sequences."""
        _check_known(seqs, target)
        classes: list[Any] = np.unique(seqs.field(target).values).tolist()
        if len(classes) < 2:
            where = "at every step" if seqs.field(target).per_step else "in every training sequence"
            raise DataError(
                f"target {target!r} is {classes[0]!r} {where}; a class needs at least two to choose from. Take another target, "
                f"or add data of another class."
            )
        return cls(tuple(classes))

    @classmethod
    def from_plain(cls, plain: Any) -> "Classes":
        """Returns what `to_plain` wrote."""
        return cls(tuple(plain))

    def to_plain(self) -> list[Any]:
        """Returns the classes."""
        return list(self.classes)

    @property
    def num_outputs(self) -> int:
        """One a class."""
        return len(self.classes)

    @property
    def target_shape(self) -> tuple[int, ...]:
        """The number of the class."""
        return ()

    def meanings(self, target: str) -> list[Any]:
        """Returns the classes."""
        return list(self.classes)

    def choices(self, target: str) -> Mapping[str, tuple[int, int]]:
        """Returns the classes, as text."""
        return {str(name): (0, number) for number, name in enumerate(self.classes)}

    def check(self, seqs: Sequences, target: str) -> None:
        """Proves that every item has a class, and one that was seen in training."""
        field = seqs.field(target)
        if field.item_shape or _kind(field.values) != _kind(as_array(self.classes)):
            raise DataError(
                f"target {target!r} is {field.describe()} a {item_of(field)}; the model knows classes such as {self.classes[0]!r}."
            )
        _check_known(seqs, target)
        known = ", ".join(map(repr, self.classes[:MAX_NUMBERS_SHOWN]))
        unknown = self.encoded(field.values) < 0
        refuse_first(unknown, seqs, target, f", which was not among the classes seen in training: {known}.")

    def encoded(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Returns [items] the number of each class, −1 where it is none."""
        return codes_of(values, self.classes).astype(np.int64) - 1

    def trivial(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Returns the logarithm of the share of each class; half an item more of each, so that none is impossible."""
        count = np.bincount(targets, minlength=len(self.classes)) + 0.5
        return np.log(count / count.sum())

    def losses(self, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """Returns the cross-entropy of each item: [items, 1]."""
        losses = functional.cross_entropy(outputs, targets.long(), reduction="none", label_smoothing=label_smoothing)
        return losses[:, None]

    def readable(self, outputs: Tensor) -> Tensor:
        """Returns probabilities."""
        return outputs.softmax(dim=-1)

    def metrics(self) -> dict[str, Metric]:
        """Returns the accuracy, and the mean of the classes' F1, but for those that neither are nor are said.

        Of tags that mark chunks the F1 of the chunks too.
        """
        found: dict[str, Metric] = {
            "accuracy": MulticlassAccuracy(len(self.classes), average="micro", validate_args=False),
            "f1": MulticlassF1Score(len(self.classes), average="macro", validate_args=False),
        }
        if self.mark_chunks:
            found[CHUNK_F1] = ChunkF1(self.classes)
        return found

    @property
    def mark_chunks(self) -> bool:
        """Whether the classes are BIO tags, such as B-city, I-city and O."""
        return is_bio(self.classes)

    def names(self, target: str) -> tuple[str, ...]:
        """p_CLASS for every class."""
        return tuple(f"p_{name}" for name in self.classes)

    def columns(self, target: str, found: npt.NDArray[np.float64]) -> dict[str, list[Any]]:
        """Returns `prediction`, its `probability`, and p_CLASS for every class."""
        prediction = [self.classes[number] for number in found.argmax(axis=1).tolist()]
        columns = {PREDICTION: prediction, "probability": found.max(axis=1).tolist()}
        return columns | {name: values.tolist() for name, values in zip(self.names(target), found.T, strict=True)}

    def __str__(self) -> str:
        return f"{len(self.classes)} classes"


def _check_known(seqs: Sequences, target: str) -> None:
    field = seqs.field(target)
    if field.is_text:
        missing = np.array([value in (None, "") for value in field.values], dtype=bool)
        refuse_first(missing, seqs, target, "; label it, or leave the sequence out.")


def _kind(values: npt.NDArray[Any]) -> str:
    return {"i": "whole", "u": "whole", "b": "bool", "U": "text", "O": "text"}.get(values.dtype.kind, "other")
