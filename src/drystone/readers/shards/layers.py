"""A column as arrays of plain numbers, its layers: the form in which files hold it."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core.column import Column
from drystone.core.string_memory import bytes_of, offsets_in
from drystone.readers.shards.raw import RawFile

VALUES = "values"
SIZES, BYTES, MISSING = "sizes", "bytes", "missing"  # of texts: in bytes, of all end to end, and whether there is none
OFFSETS = "offsets"  # what sizes become once all are together


def layers_of(column: Column) -> Mapping[str, npt.NDArray[Any]]:
    """Returns the arrays that a column consists of; no copy of values."""
    if not column.is_text:
        return {VALUES: cast("npt.NDArray[Any]", column.values)}
    texts = cast("pa.LargeStringArray", column.values)
    offsets = offsets_in(texts)
    return {
        SIZES: np.diff(offsets),
        BYTES: bytes_of(texts)[offsets[0] : offsets[-1]],
        MISSING: np.asarray(pc.is_null(texts)),
    }


def offsets_from(sizes: Iterable[npt.NDArray[Any]]) -> Iterator[npt.NDArray[np.int64]]:
    """Yields 0, then where each text ends."""
    total = np.zeros(1, np.int64)
    yield total
    for block in sizes:
        ends = np.cumsum(block) + total[-1]
        yield ends
        total = ends[-1:]


def column_in(layers: Mapping[str, RawFile]) -> Column:
    """Returns the column in files that hold it whole, memory-mapped."""
    if VALUES in layers:
        return Column(layers[VALUES].mapped())
    # One bit a value in memory, where some are missing.
    known = pa.py_buffer(np.packbits(~layers[MISSING].mapped(), bitorder="little")) if MISSING in layers else None
    memory = [known, _buffer(layers[OFFSETS].path), _buffer(layers[BYTES].path)]
    return Column(pa.Array.from_buffers(pa.large_string(), layers[OFFSETS].num_values - 1, memory))


def _buffer(path: Path) -> pa.Buffer:
    if not path.stat().st_size:
        return pa.py_buffer(b"")
    with pa.memory_map(str(path)) as file:
        return file.read_buffer()
