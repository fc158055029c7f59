"""The numbers of each sequence."""

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
from drystone.core.field import Field
from drystone.core.sequences import Sequences
from drystone.train.tasks.number_names import number_names
from drystone.train.tasks.outputs.yes_no import is_yes_no

MOST_CLASSES = 20  # whole numbers of more values than that may be a measurement
FEWEST_OF_A_CLASS = 4  # on average, in sequences


def check_numbers(seqs: Sequences, target: str) -> None:
    """Proves that a target is a number, or a vector of numbers, a sequence.

    A target with a value a step serves too, if it is the same at all steps of a sequence.

    Raises:
        DataError: it changes within a sequence, or is no number.
    """
    field = seqs.collapsed(target).field(target)
    if field.is_text or field.values.dtype.kind not in "iuf":
        raise DataError(f"target {target!r} is {field.describe()}; regress learns numbers.")
    if len(field.item_shape) > 1 or not prod(field.item_shape):
        raise DataError(
            f"target {target!r} has shape {field.item_shape} a sequence; regress learns one number, or a vector of them."
        )


def numbered(seqs: Sequences, target: str) -> Sequences:
    """Returns the sequences with their target a value a sequence.

    Raises:
        DataError: as `check_numbers`; or a number is missing, or infinite.
    """
    check_numbers(seqs, target)
    found = seqs.collapsed(target)
    field = found.field(target)
    broken = ~np.isfinite(field.values)
    if broken.any():
        at, *inside = (int(axis[0]) for axis in np.nonzero(broken))
        name = number_names(target, field.item_shape)[inside[0] if inside else 0]
        raise DataError(
            f"target {name!r} is {field.values[(at, *inside)]} in {seqs.place(at)}; numbers to learn must be finite. Fill it "
            f"in, or leave the sequence out."
        )
    return found


def is_measurement(field: Field) -> bool:
    """Returns whether the values of a field are numbers to learn rather than classes.

    They are where some have a fraction; or single whole numbers of so many values that hardly any comes twice; or vectors
    of others than 0 and 1.
    """
    values: npt.NDArray[Any] = field.values
    if field.is_text or values.dtype.kind not in "iuf":
        return False
    values = values[np.isfinite(values)]
    if values.dtype.kind == "f" and (values != np.floor(values)).any():
        return True
    if field.item_shape:
        return not is_yes_no(values).all()
    count = len(np.unique(values))
    return count > MOST_CLASSES and count * FEWEST_OF_A_CLASS > len(values)
