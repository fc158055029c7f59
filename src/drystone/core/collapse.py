"""A field that repeats one value at all steps of a sequence, as a field with a value a sequence."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.column import Column, column_from_numpy
from drystone.core.errors import DataError
from drystone.core.field import Field
from drystone.core.lengths import place_of


def collapse(field: Field, place: Callable[[int], str]) -> Column:
    """Returns a column of the one value of each sequence.

    Args:
        field: with a value a step, of at least one sequence.
        place: words for a sequence, by number.

    Raises:
        DataError: the value changes within a sequence.
    """
    values = field.values
    firsts = field.column.take(field.starts)
    expected = np.repeat(firsts, field.lengths, axis=0)
    same = equal_values(values, expected)
    if not same.all():
        at = int(np.argmin(same))
        sequence, _ = place_of(at, field.lengths)
        raise DataError(
            f"field {field.name!r} changes in {place(sequence)}, from {firsts[sequence]} to {values[at]}; "
            f"one value a sequence needs the same at all of its steps."
        )
    return column_from_numpy(firsts, field.name)


def equal_values(values: npt.NDArray[Any], others: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Returns [values], whether each equals the other; missing ones are equal."""
    same = (values == others) | (_is_nan(values) & _is_nan(others))
    return same.reshape(len(values), -1).all(axis=1)


def _is_nan(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.isnan(values) if values.dtype.kind in "fM" else np.zeros(values.shape, dtype=bool)
