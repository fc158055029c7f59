"""The numbers of each sequence."""

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
from drystone.core.field import Field
from drystone.core.sequences import Sequences

MOST_CLASSES = 20  # whole numbers of more values than that may be a measurement
FEWEST_OF_A_CLASS = 4  # on average, in sequences


def number_field(seqs: Sequences, target: str) -> Field:
    """Returns the target as a field with a number, or a vector of numbers, a sequence.

    A target with a value a step serves too, if it is the same at all steps of a sequence.

    Raises:
        DataError: it changes within a sequence, or is no number; the message says which task would do.
    """
    try:
        field = seqs.collapsed(target).field(target)
    except DataError as error:
        if target not in seqs.field_names:
            raise
        raise DataError(f"{error} task='forecast' learns the next values of a measurement.") from error
    if field.is_text or field.values.dtype.kind not in "iuf":
        raise DataError(
            f"target {target!r} is {field.describe()}; regress learns numbers. task='classify' learns text, whole "
            f"numbers and bools as classes."
        )
    if len(field.item_shape) > 1 or not prod(field.item_shape):
        raise DataError(
            f"target {target!r} has shape {field.item_shape} a sequence; regress learns one number, or a vector of them."
        )
    return field


def numbers_of(seqs: Sequences, target: str) -> npt.NDArray[np.float64]:
    """Returns the numbers of each sequence: [sequences, numbers].

    Raises:
        DataError: as `number_field`; or a number is missing, or infinite.
    """
    values = number_field(seqs, target).values.reshape(len(seqs), -1).astype(np.float64)
    broken = ~np.isfinite(values)
    if broken.any():
        at, number = (int(axis[0]) for axis in np.nonzero(broken))
        name = f"{target}[{number}]" if values.shape[1] > 1 else target
        raise DataError(
            f"target {name!r} is {values[at, number]} in {seqs.place(at)}; numbers to learn must be finite. Fill it in, "
            f"or leave the sequence out."
        )
    return values


def is_measurement(field: Field) -> bool:
    """Returns whether the values of a field are numbers to learn rather than classes.

    They are where some have a fraction; or single whole numbers of so many values that hardly any comes twice; or several
    numbers that are not all 0 or 1.
    """
    values: npt.NDArray[Any] = field.values
    if field.is_text or values.dtype.kind not in "iuf":
        return False
    values = values[np.isfinite(values)]
    if values.dtype.kind == "f" and (values != np.floor(values)).any():
        return True
    if field.item_shape:
        return not np.isin(values, (0, 1)).all()
    count = len(np.unique(values))
    return count > MOST_CLASSES and count * FEWEST_OF_A_CLASS > len(values)
