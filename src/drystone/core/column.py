"""One column of values: numbers in a NumPy array, text in an Arrow array; both are Arrow memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drystone import native
from drystone.core.errors import DataError
from drystone.core.lengths import ranges
from drystone.core.string_memory import bytes_of, offsets_in

Ints = npt.NDArray[np.int64]
KINDS = "fiubM"  # floats, integers, bools, timestamps


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """Values laid one after the other.

    Args:
        values: [values, *item shape] of floats, integers, bools or timestamps; or an Arrow string array.
    """

    values: npt.NDArray[Any] | pa.LargeStringArray

    def __len__(self) -> int:
        return len(self.values)

    @property
    def is_text(self) -> bool:
        return isinstance(self.values, pa.Array)

    @property
    def is_numeric(self) -> bool:
        return not self.is_text and self._array.dtype.kind in "fiub"

    @property
    def is_mapped(self) -> bool:
        """Whether these are numbers in a memory-mapped file, which may be larger than memory."""
        owner: object = self.values
        while isinstance(owner, np.ndarray) and not isinstance(owner, np.memmap):
            owner = owner.base
        return isinstance(owner, np.memmap)

    @property
    def item_shape(self) -> tuple[int, ...]:
        """The shape of one value; () for scalars and text."""
        return () if self.is_text else self._array.shape[1:]

    @property
    def type_name(self) -> str:
        """The kind of values in a word, such as float32, int64 or text."""
        return "text" if self.is_text else str(self._array.dtype)

    @property
    def _array(self) -> npt.NDArray[Any]:
        return cast("npt.NDArray[Any]", self.values)

    def take(self, positions: Ints) -> npt.NDArray[Any]:
        """Returns a copy of the values at these positions; text comes as an array of str objects."""
        if self.is_text:
            return cast("pa.Array", self.values).take(pa.array(positions)).to_numpy(zero_copy_only=False)
        return self._array[positions]

    def slice(self, start: int, length: int) -> npt.NDArray[Any]:
        """Returns a run of values; numbers without a copy, text as an array of str objects."""
        if self.is_text:
            return cast("pa.Array", self.values).slice(start, length).to_numpy(zero_copy_only=False)
        return self._array[start : start + length]

    def empty(self, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        """Returns an array of this shape that holds 0 (or "" for text) in every cell."""
        if self.is_text:
            return np.full(shape, "", dtype=object)
        return np.zeros((*shape, *self.item_shape), dtype=self._array.dtype)

    def content(self) -> Iterator[memoryview]:
        """Yields memory that differs where any value does, or which are missing; no copy of numbers or of texts."""
        if not self.is_text:
            yield np.ascontiguousarray(self._array).reshape(-1).view(np.uint8).data
            return
        texts = cast("pa.LargeStringArray", self.values)
        offsets = offsets_in(texts)
        yield np.diff(offsets).data
        yield bytes_of(texts)[offsets[0] : offsets[-1]].data
        if texts.null_count:
            yield np.packbits(np.asarray(pc.is_null(texts))).data

    def gather(self, starts: Ints, targets: Ints, lengths: Ints, size: int) -> npt.NDArray[Any]:
        """Returns [size, *item shape]: the runs of values start … start + length − 1 at their targets.

        Everywhere else it holds 0, or "" for text. Targets rise, and no two runs overlap.
        """
        if self.is_text:
            result = self.empty((size,))
            result[ranges(targets, lengths)] = self.take(ranges(starts, lengths))
            return result
        result = native.empty((size, *self.item_shape), self._array.dtype)
        native.gather(self._array, starts, targets, lengths, result)
        return result


def column_from_numpy(array: npt.NDArray[Any], name: str) -> Column:
    """Makes a column of an array of numbers, timestamps or strings, without a copy of numbers.

    Raises:
        DataError: the array holds something else.
    """
    if array.dtype.kind in "UTO":
        return _text_column(array, name)
    if array.dtype.kind not in KINDS:
        raise DataError(f"field {name!r} has dtype {array.dtype}; it must hold numbers, timestamps or text.")
    if array.ndim == 0:
        raise DataError(f"field {name!r} is the single value {array}; expected an array of values.")
    if 0 in array.shape[1:]:
        raise DataError(f"field {name!r} has shape {array.shape}; every step needs at least one number.")
    if array.dtype.kind == "M" and np.datetime_data(array.dtype)[0] in ("ps", "fs", "as", "generic"):
        raise DataError(f"field {name!r} has dtype {array.dtype}; timestamps need a unit from years to nanoseconds.")
    return Column(array.astype(_stored_type(array.dtype), copy=False))


def _stored_type(kind: np.dtype[Any]) -> np.dtype[Any]:
    """The nearest type that NumPy, Arrow and tensors share."""
    if kind == np.float16:
        return np.dtype(np.float32)
    if kind.kind == "f" and kind.itemsize > 8:
        return np.dtype(np.float64)
    if kind.kind == "M":
        unit = np.datetime_data(kind)[0]
        return np.dtype(f"M8[{unit if unit in ('ms', 'us', 'ns') else 's'}]")
    return kind.newbyteorder("=")


def _text_column(array: npt.NDArray[Any], name: str) -> Column:
    if array.ndim == 0:
        raise DataError(
            f"text field {name!r} is one text; expected a list of texts, one a step. To make its characters steps, name the "
            f"field with text=."
        )
    if array.ndim != 1:
        raise DataError(
            f"text field {name!r} has shape {array.shape}; text needs one string a value. "
            f"Several labels of a sequence are a vector of 0 and 1."
        )
    try:
        return Column(pa.array(array.astype(object), type=pa.large_string(), from_pandas=True))
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise DataError(f"field {name!r} holds objects that are neither numbers nor text: {error}") from error
