"""Outputs of which an item has as many as its target has numbers."""

from dataclasses import dataclass
from math import prod
from typing import Any

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.train.tasks.number_names import number_names
from drystone.train.tasks.outputs.outputs import Outputs, item_of


@dataclass(frozen=True, slots=True)
class Shaped(Outputs):
    """One output for each number of an item of the target.

    Args:
        shape: of an item of the target.
    """

    shape: tuple[int, ...]

    @classmethod
    def from_plain(cls, plain: Any) -> "Shaped":
        """Returns what `to_plain` wrote."""
        return cls(tuple(plain))

    def to_plain(self) -> list[int]:
        """Returns the shape."""
        return list(self.shape)

    @property
    def num_outputs(self) -> int:
        """One a number."""
        return prod(self.shape)

    @property
    def target_shape(self) -> tuple[int, ...]:
        """The numbers side by side."""
        return (self.num_outputs,)

    def meanings(self, target: str) -> list[Any]:
        """Returns the names of the numbers."""
        return list(number_names(target, self.shape))


def shape_of(seqs: Sequences, target: str) -> tuple[int, ...]:
    """Returns the shape of one item of a target.

    Raises:
        DataError: it does not hold numbers.
    """
    field = seqs.field(target)
    if not field.is_numeric:
        raise DataError(
            f"target {target!r} is {field.describe()} a {item_of(field)}; the model says numbers or yes/no."
        )
    return field.item_shape


def check_shape(seqs: Sequences, target: str, shape: tuple[int, ...]) -> None:
    """Raises DataError where the items of a target have another shape than those that were learned, or are no numbers."""
    found = shape_of(seqs, target)
    if found != shape:
        item = item_of(seqs.field(target))
        raise DataError(f"target {target!r} has shape {found} a {item}; the model says {shape}.")
