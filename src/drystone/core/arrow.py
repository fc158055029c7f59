"""Columns to and from Arrow arrays; numbers and text cross without a copy where Arrow allows it."""

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core.column import Column, column_from_numpy
from drystone.core.errors import DataError


def is_list(kind: pa.DataType) -> bool:
    """Whether a column of this type holds a list of any length in each row."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or is_list_view(kind)


def is_list_view(kind: pa.DataType) -> bool:
    """Whether a column of this type holds lists that may lie in any order in memory."""
    return pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind)


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds one string in each row."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def column_from_arrow(array: pa.Array | pa.ChunkedArray, name: str) -> Column:
    """Makes a column of numbers or text; lists in it must all be of one length (a fixed shape).

    Raises:
        DataError: a type that drystone has no use for, or lists of unequal length.
    """
    whole = plain(array)
    if isinstance(whole, pa.FixedShapeTensorArray):
        return Column(whole.to_numpy_ndarray())
    if isinstance(whole, pa.ExtensionArray):
        whole = whole.storage
    if is_list(whole.type) or pa.types.is_fixed_size_list(whole.type):
        return _fixed_shape(whole, name)
    if is_text(whole.type):
        return Column(whole)
    return column_from_numpy(_numbers(whole, name), name)


def column_to_arrow(column: Column) -> pa.Array:
    """Returns the column as an Arrow array; items with a shape become nested fixed-size lists."""
    if column.is_text:
        return cast("pa.Array", column.values)
    array = cast("npt.NDArray[Any]", column.values)
    result = pa.array(np.ascontiguousarray(array).reshape(-1))
    for size in reversed(column.item_shape):
        result = pa.FixedSizeListArray.from_arrays(result, size)
    return result


def plain(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Returns the array in one piece, with dictionaries decoded and text as large strings."""
    if pa.types.is_dictionary(array.type):
        array = _decoded(array)
    if is_text(array.type):
        array = array.cast(pa.large_string())
    return one_chunk(array)


def one_chunk(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Returns the array in one piece; a copy only where there are several chunks."""
    if isinstance(array, pa.ChunkedArray):
        return array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()
    return array


def _decoded(array: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    # Arrow's own dictionary_decode knows no string views, which polars uses.
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    kind = pa.large_string() if is_text(array.type.value_type) else array.type.value_type
    return pa.chunked_array([plain(chunk.dictionary).take(chunk.indices) for chunk in chunks], type=kind)


def _numbers(array: pa.Array, name: str) -> npt.NDArray[Any]:
    kind = array.type
    if pa.types.is_decimal(kind) or pa.types.is_null(kind):
        array = array.cast(pa.float64())
    elif pa.types.is_date(kind):
        array = array.cast(pa.timestamp("s"))
    elif not (_is_number(kind) or pa.types.is_timestamp(kind)):
        raise DataError(f"field {name!r} has the Arrow type {kind}; it must hold numbers, timestamps, text or lists.")
    if array.null_count and not pa.types.is_timestamp(array.type):
        array = array.cast(pa.float32() if kind == pa.float32() else pa.float64())
    return array.to_numpy(zero_copy_only=False)


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)


def _fixed_shape(array: pa.Array, name: str) -> Column:
    if array.null_count:
        raise DataError(f"field {name!r}: value {_first_null(array)} is missing, where a list was expected.")
    size = _list_size(array, name)
    values = column_from_arrow(array.flatten(), name)
    if values.is_text:
        raise DataError(f"field {name!r} holds a list of texts in one step; text needs one string a step.")
    numbers = cast("npt.NDArray[Any]", values.values)
    return Column(numbers.reshape(len(array), size, *values.item_shape))


def _list_size(array: pa.Array, name: str) -> int:
    if pa.types.is_fixed_size_list(array.type):
        return int(array.type.list_size)
    sizes = np.asarray(pc.list_value_length(array))
    if sizes.size == 0:
        return 0
    if (sizes != sizes[0]).any():
        index = int(np.argmax(sizes != sizes[0]))
        raise DataError(
            f"field {name!r}: value {index} holds {sizes[index]} numbers and value 0 holds {sizes[0]}; "
            f"every step needs one shape."
        )
    return int(sizes[0])


def _first_null(array: pa.Array) -> int:
    return int(np.argmax(np.asarray(pc.is_null(array))))
