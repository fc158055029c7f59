"""Texts as Arrow arrays: documents or words, one a value."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core.arrow import is_text, plain
from drystone.core.errors import DataError
from drystone.core.field import Field

BLOCK_BYTES = 1 << 20


def texts_of(values: Any, name: str) -> pa.LargeStringArray:
    """Returns texts as one Arrow array without missing values.

    Args:
        values: an Arrow array, a NumPy array, a field, or strings one by one.
        name: what the values are called in errors.

    Raises:
        DataError: one string instead of several, values that are no text, or a missing one.

    Example:
        >>> texts_of(["one text", "another"], "reviews").type
        DataType(large_string)
    """
    array = _arrow(values, name)
    if not is_text(array.type):
        raise DataError(f"{name}: expected text; got the Arrow type {array.type}.")
    if array.null_count:
        at = int(np.argmax(np.asarray(pc.is_null(array))))
        raise DataError(f"{name}: value {at} is missing, where text was expected. Drop it, or fill it in.")
    return cast("pa.LargeStringArray", array)


def _arrow(values: Any, name: str) -> pa.Array:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return plain(values)
    if isinstance(values, str):
        raise DataError(f"{name} is one string; expected several. Put it into a list.")
    if isinstance(values, Field):
        values = values.values
    if not isinstance(values, Iterable):
        raise DataError(f"{name}: expected texts; got {values!r}.")
    items = values.astype(object) if isinstance(values, np.ndarray) else list(values)
    try:
        return pa.array(items, type=pa.large_string(), from_pandas=True)
    except (pa.ArrowTypeError, pa.ArrowInvalid, UnicodeEncodeError) as error:
        raise DataError(f"{name}: the values are no text that can be written as UTF-8: {error}") from error


def blocks(texts: pa.LargeStringArray) -> Iterator[pa.LargeStringArray]:
    """Cuts texts into runs of about `BLOCK_BYTES`, and of one text at least."""
    stops = bounds_of(texts)[1:]
    start = 0
    while start < len(texts):
        first_byte = stops[start - 1] if start else bounds_of(texts)[0]
        stop = max(start + 1, int(np.searchsorted(stops, first_byte + BLOCK_BYTES, side="right")))
        yield texts.slice(start, stop - start)
        start = stop


def code_points(texts: pa.LargeStringArray) -> npt.NDArray[np.uint32]:
    """Returns the characters of all texts, end to end, as numbers of Unicode."""
    if not len(texts):
        return np.zeros(0, dtype=np.uint32)
    bounds, content = bounds_of(texts), texts.buffers()[2]
    if content is None:
        return np.zeros(0, dtype=np.uint32)
    whole = str(memoryview(content)[bounds[0] : bounds[-1]], "utf-8")
    return np.frombuffer(whole.encode("utf-32-le"), dtype="<u4")


def bounds_of(texts: pa.LargeStringArray) -> npt.NDArray[np.int64]:
    """Returns [texts + 1]: where each text starts and ends, in bytes of their buffer."""
    buffer = texts.buffers()[1]
    if buffer is None or not len(texts):
        return np.zeros(1, dtype=np.int64)
    return np.frombuffer(buffer, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
