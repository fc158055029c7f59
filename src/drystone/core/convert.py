"""Anything that NumPy or Arrow can read, made into columns."""

from collections.abc import Callable, Sequence
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
    return end_to_end(columns, name, lambda index: f"sequence {index}")


def end_to_end(columns: Sequence[Column], name: str, whose: Callable[[int], str]) -> Column:
    """Makes one column of several, with one copy.

    Args:
        columns: in their order.
        name: of the field.
        whose: words for who the values of a column belong to, by its number.

    Raises:
        DataError: two columns differ in the shape of one value, or mix numbers and text.
    """
    filled = [(index, column) for index, column in enumerate(columns) if len(column)] or [(0, columns[0])]
    first_index, first = filled[0]
    for index, column in filled:
        if column.is_numeric != first.is_numeric or in_words(column) != in_words(first):
            raise DataError(
                f"field {name!r}: the values of {whose(index)} are {in_words(column)}, and those of "
                f"{whose(first_index)} are {in_words(first)}; all need one type and shape."
            )
    values = [column.values for _, column in filled]
    if first.is_text:
        return Column(pa.concat_arrays(cast("list[pa.Array]", values)))
    return Column(np.concatenate(cast("list[npt.NDArray[Any]]", values)))


def in_words(column: Column) -> str:
    """Returns what a column holds, such as "numbers of shape (3,)"; columns can be laid end to end where it is the same."""
    if column.is_text:
        return "text"
    return f"{'numbers' if column.is_numeric else 'timestamps'} of shape {column.item_shape}"
