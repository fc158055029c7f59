"""Anything that NumPy or Arrow can read, made into columns."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drystone.core.arrow import column_from_arrow
from drystone.core.column import Column, column_from_numpy
from drystone.core.errors import DataError


def column_of(values: Any, name: str) -> Column:
    """Makes a column of an array or list of numbers or text.

    Raises:
        DataError: the values are neither numbers nor text, or ragged.
    """
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return column_from_arrow(values, name)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise DataError(f"field {name!r} is ragged inside one step: {error}. Every step needs one shape.") from error
    except (RuntimeError, TypeError) as error:
        raise DataError(f"field {name!r} cannot be read as an array: {error}") from error
    return column_from_numpy(array, name)


def concatenate(arrays: Sequence[Any], name: str) -> Column:
    """Makes one column of many arrays, one a sequence, with one copy.

    Raises:
        DataError: two arrays differ in the shape of one step, or mix numbers and text.
    """
    columns = [column_of(array, f"{name}[{index}]") for index, array in enumerate(arrays)]
    filled = [(index, column) for index, column in enumerate(columns) if len(column)] or [(0, columns[0])]
    first_index, first = filled[0]
    for index, column in filled:
        if column.is_numeric != first.is_numeric or _in_words(column) != _in_words(first):
            raise DataError(
                f"field {name!r}: the steps of sequence {index} are {_in_words(column)}, and those of sequence "
                f"{first_index} are {_in_words(first)}; all steps need one type and shape."
            )
    values = [column.values for _, column in filled]
    if first.is_text:
        return Column(pa.concat_arrays(cast("list[pa.Array]", values)))
    return Column(np.concatenate(cast("list[npt.NDArray[Any]]", values)))


def _in_words(column: Column) -> str:
    if column.is_text:
        return "text"
    return f"{'numbers' if column.is_numeric else 'timestamps'} of shape {column.item_shape}"
