"""Any source of sequences, read by the reader of its format."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from drystone.core.errors import DataError
from drystone.core.origin import Origin
from drystone.core.sequences import OnEmpty, Sequences
from drystone.readers.arrow_file import read_arrow
from drystone.readers.delimited import read_csv, read_tsv
from drystone.readers.find import find
from drystone.readers.guard import reading
from drystone.readers.json_lines import read_json_lines
from drystone.readers.keys import with_keys
from drystone.readers.npz import read_npz
from drystone.readers.options import Duplicates, Options
from drystone.readers.parquet import read_parquet
from drystone.readers.table import sequences_from_table
from drystone.readers.ts import read_ts

TABLES: Mapping[str, Callable[[Path], tuple[pa.Table, Origin]]] = {
    ".parquet": read_parquet,
    ".arrow": read_arrow,
    ".feather": read_arrow,
    ".ipc": read_arrow,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".jsonl.gz": read_json_lines,
    ".csv": read_csv,
    ".csv.gz": read_csv,
    ".tsv": read_tsv,
    ".tsv.gz": read_tsv,
}
WHOLES: Mapping[str, Callable[[Path, OnEmpty], Sequences]] = {".npz": read_npz, ".ts": read_ts}


def read(
    source: Any,
    *,
    sequence_id: str | None = None,
    order_by: str | None = None,
    per_sequence: Sequence[str] = (),
    on_empty: OnEmpty = "error",
    duplicates: Duplicates | None = None,
) -> Sequences:
    """Reads sequences from a file, a built-in data set or a table in memory.

    A table holds one sequence a row, with a list in each column that has a value a step; or one step a row,
    with `sequence_id` saying which column tells sequences apart. Timestamps with time zones are read as UTC; those without
    stay as they are. What reading changed, such as rows that it put in order, stands in `remarks`.

    Args:
        source: a path, the name of a built-in data set, or any object with the Arrow interface: a table of
            pandas, polars, DuckDB, Hugging Face or pyarrow.
        sequence_id: the column that tells sequences apart; rows of one sequence need not be adjacent. Where all rows
            are one series, `order_by` alone is enough.
        order_by: the column that orders the steps of a sequence; else the order of the rows counts. Text is sorted letter
            by letter, unless it holds dates in several forms, which is refused.
        per_sequence: in a table of one step a row, the columns that hold one value a sequence.
        on_empty: "drop" leaves out sequences of 0 steps and lists them in `dropped`.
        duplicates: what happens to steps of one sequence with the same value in `order_by`: "first" keeps the first;
            "mean" takes the mean of numbers without missing ones (of whole numbers as float64, in every row), and the first
            of all else; "error" refuses them. By default all are kept, in their order, with a warning.

    Returns:
        The sequences, in the order in which the source first names them.

    Raises:
        DataError: no such file or column, a damaged file, or values that do not make sequences.

    Example:
        >>> read("japanese-vowels")
        Sequences(640 sequences of 7 to 29 steps; per step: x float32[12]; per sequence: speaker text, part text)
    """
    names = (per_sequence,) if isinstance(per_sequence, str) else tuple(per_sequence)
    options = Options(
        sequence_id=sequence_id, order_by=order_by, per_sequence=names, on_empty=on_empty, duplicates=duplicates
    )
    if isinstance(source, (str, Path)):
        return _read_file(source, options)
    if not hasattr(source, "__arrow_c_stream__"):
        raise DataError(
            f"read takes a path, the name of a built-in data set or a table; got {type(source).__name__}. "
            f"For arrays and lists use Sequences.from_arrays."
        )
    if hasattr(source, "to_frame"):
        raise DataError(f"read takes a table; got a {type(source).__name__}, one column. Pass it as .to_frame().")
    with reading(f"the {type(source).__name__}"):
        return sequences_from_table(pa.table(source), Origin(), options)


def _read_file(source: str | Path, options: Options) -> Sequences:
    with reading(str(source)):
        path = find(source)
    with reading(path.name):
        suffix = _suffix(path)
        if suffix in WHOLES:
            return with_keys(WHOLES[suffix](path, options.on_empty), options)
        table, origin = TABLES[suffix](path)
        return sequences_from_table(table, origin, options)


def _suffix(path: Path) -> str:
    known = (*TABLES, *WHOLES)
    found = [suffix for suffix in known if path.name.lower().endswith(suffix)]
    if not found:
        raise DataError(f"{path.name}: no reader knows a file of this name; the known endings are {', '.join(known)}.")
    return found[0]
