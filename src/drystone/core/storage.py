"""Sequences as Arrow tables of one row a sequence, and as memory-mapped Arrow files."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core import build
from drystone.core.arrow import is_list, is_list_view, one_chunk
from drystone.core.bounds import Bounds
from drystone.core.errors import DataError
from drystone.core.origin import Origin

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences

MEMORY = Origin()
KEYS = ("sequence_id", "order_by", "text")
SCORED = ("drystone.scored_from", "drystone.scored_to")  # columns of the first scored step and the one after the last


def to_table(seqs: "Sequences") -> pa.Table:
    """Returns a table of one row a sequence, with large lists for fields with a value a step.

    Where not every step is scored, two more columns say which are.
    """
    arrays = [seqs.field(name).to_arrow() for name in seqs.field_names]
    names = list(seqs.field_names)
    if not seqs.scores_every_step:
        arrays += [pa.array(steps) for steps in seqs.scored_steps()]
        names += SCORED
    metadata = {f"drystone.{key}": name for key in KEYS if (name := getattr(seqs, key)) is not None}
    return pa.Table.from_arrays(arrays, names=names, metadata=metadata or None)


def parts_from_table(table: pa.Table, origin: Origin = MEMORY) -> tuple[build.Parts, dict[str, str | None]]:
    """Reads a table of one row a sequence: list columns have a value a step, all others a value a sequence.

    Args:
        table: one row a sequence.
        origin: the file behind the table, so that an error can name the place in it.

    Raises:
        DataError: missing lists, lists of unequal length in one row, or no list column at all.
    """
    lists = {name: _as_lists(table[name]) for name in table.column_names if is_list(table[name].type)}
    if not lists:
        raise DataError(f"no column holds lists; the columns are: {', '.join(table.column_names)}.")
    others = {name: table[name] for name in table.column_names if name not in lists and name not in SCORED}
    offsets = {name: _offsets(array, name, origin) for name, array in lists.items()}
    (first, bounds), *rest = offsets.items()
    for name, other in rest:
        _check_equal(first, np.diff(bounds), name, np.diff(other), origin)
    values = {name: _values(array, offsets[name]) for name, array in lists.items()}
    metadata: dict[bytes, bytes] = table.schema.metadata or {}
    known = {name: metadata.get(f"drystone.{name}".encode()) for name in KEYS}
    keys = {name: None if value is None else value.decode() for name, value in known.items()}
    parts = build.parts_from_ragged(bounds - bounds[0], values, others)
    return replace(parts, bounds=_scored(table, parts, origin)), keys


def save(seqs: "Sequences", path: Path, *, overwrite: bool) -> None:
    """Writes one Arrow file of one record batch."""
    check_free(path, overwrite=overwrite)
    table = to_table(seqs)
    with (
        whole_file(path) as partial,
        pa.OSFile(str(partial), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        writer.write_table(table)


def check_free(path: Path, *, overwrite: bool) -> None:
    """Raises DataError where a file is in the way that may not be replaced."""
    if path.exists() and not overwrite:
        raise DataError(f"{path} exists. Choose another name, or pass overwrite=True.")


@contextmanager
def whole_file(path: Path) -> Generator[Path]:
    """Gives a name to write to; the file takes its real name only when it is written whole.

    Raises:
        DataError: the folder does not exist.
    """
    if not path.parent.is_dir():
        raise DataError(f"there is no folder {path.parent}; make it first.")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def open_table(path: Path) -> pa.Table:
    """Opens an Arrow file, memory-mapped."""
    if not path.is_file():
        raise DataError(f"there is no file {path}.")
    try:
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path} is not a whole Arrow file: {error}") from error


def open_parts(path: Path) -> tuple[build.Parts, dict[str, Any]]:
    """Opens the parts of sequences in an Arrow file, memory-mapped."""
    return parts_from_table(open_table(path))


def _scored(table: pa.Table, parts: build.Parts, origin: Origin) -> Bounds | None:
    if not set(SCORED) <= set(table.column_names):
        return None
    first, stop = (np.asarray(table[name]) for name in SCORED)
    wrong = ~((first >= 0) & (first <= stop) & (stop <= parts.lengths))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{_place(origin, row)}: steps {first[row]} to {stop[row]} are scored, of {parts.lengths[row]} steps."
        )
    first, stop = first.astype(np.int64), stop.astype(np.int64)
    return Bounds(lead=first, floor=parts.starts, ceiling=parts.starts + stop)


def _as_lists(column: pa.ChunkedArray) -> pa.Array:
    whole = one_chunk(column)
    return whole.cast(pa.large_list(whole.type.value_type)) if is_list_view(whole.type) else whole


def _offsets(array: pa.Array, name: str, origin: Origin) -> "np.ndarray[Any, np.dtype[np.int64]]":
    if array.null_count:
        row = int(np.argmax(np.asarray(pc.is_null(array))))
        raise DataError(
            f"{_place(origin, row)}: column {name!r} is missing; every sequence needs a list. "
            f"Leave the row out, or write a list."
        )
    return np.asarray(array.offsets).astype(np.int64)


def _values(array: pa.Array, offsets: "np.ndarray[Any, np.dtype[np.int64]]") -> pa.Array:
    values = array.values
    return values.slice(int(offsets[0]), int(offsets[-1] - offsets[0]))


def _check_equal(first: str, lengths: Any, name: str, other: Any, origin: Origin) -> None:
    if (lengths != other).any():
        row = int(np.argmax(lengths != other))
        raise DataError(
            f"{_place(origin, row)} has {lengths[row]} steps in column {first!r} and {other[row]} in column {name!r}; "
            f"all list columns need one length in a row. Several labels of a row go into columns of 0 and 1, one a label."
        )


def _place(origin: Origin, row: int) -> str:
    return origin.where(row, row) or f"row {row}"
