"""Any source of sequences, read by the reader of its format."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from drystone.core.build import OnEmpty
from drystone.core.errors import DataError
from drystone.core.origin import Origin
from drystone.core.sequences import Sequences
from drystone.readers.find import find
from drystone.readers.formats import (
    BINARY_TABLES,
    OF_TEXT_FILES,
    OTHER_WHOLES,
    TEXT_TABLES,
    TEXT_WHOLES,
    ending_of,
    folder_reader,
    has_effect,
)
from drystone.readers.guard import reading
from drystone.readers.keys import with_keys
from drystone.readers.options import Documents, Duplicates, Options
from drystone.readers.shards import is_of_shards, read_shards
from drystone.readers.table import sequences_from_table


def read(
    source: Any,
    *,
    sequence_id: str | None = None,
    order_by: str | None = None,
    per_sequence: Sequence[str] = (),
    on_empty: OnEmpty = "error",
    duplicates: Duplicates | None = None,
    text: str | None = None,
    documents: Documents | None = None,
    encoding: str | None = None,
) -> Sequences:
    """Reads sequences from a file, a folder, a built-in data set or a table in memory.

    A table holds one sequence a row, with a list in each column that has a value a step; or one step a row,
    with `sequence_id` saying which column tells sequences apart; or one document a row, with `text` saying in which column:
    its characters are the steps. A plain text file is a document, or each of its lines is; of a folder of them, each file.
    Files of words and tags in columns (.conll, .bio, .iob), and folders with seq.in, seq.out and label, have a sentence a
    sequence. Timestamps with time zones are read as UTC; those without
    stay as they are. What reading changed, such as rows that it put in order, stands in `remarks`.

    Args:
        source: a path of a file or a folder, the name of a built-in data set, or any object with the Arrow interface: a table of
            pandas, polars, DuckDB, Hugging Face or pyarrow. Or several Parquet or Arrow files, as one: a folder of them, a
            pattern such as "data/*.parquet", a list, or an address such as "s3://bucket/data/" (with fsspec). These may be
            larger than memory: they are read once, into files that are memory-mapped; see docs/larger-than-memory.md.
        sequence_id: the column that tells sequences apart; rows of one sequence need not be adjacent. Where all rows
            are one series, `order_by` alone is enough.
        order_by: the column that orders the steps of a sequence; else the order of the rows counts. Text is sorted letter
            by letter, unless it holds dates in several forms, which is refused.
        per_sequence: in a table of one step a row, the columns that hold one value a sequence.
        on_empty: "drop" leaves out sequences of 0 steps and lists them in `dropped`.
        duplicates: what happens to steps of one sequence with the same value in `order_by`: "first" keeps the first;
            "mean" takes the mean of numbers without missing ones (of whole numbers as float64, in every row), and the first
            of all else; "error" refuses them. By default all are kept, in their order, with a warning.
        text: in a table of one document a row, the column of texts; of plain text files, what the field is called, "text"
            by default. A document of nothing but blanks is empty.
        documents: of plain text files: "file" (default) or "lines".
        encoding: of text files, such as "latin-1"; UTF-8 by default.

    Returns:
        The sequences, in the order in which the source first names them.

    Raises:
        DataError: no such file or column, a damaged file, bytes that are no text in the encoding, or values that do not
            make sequences.

    Example:
        >>> read("japanese-vowels")
        Sequences(640 sequences of 7 to 29 steps; per step: x float32[12]; per sequence: speaker text, part text)
    """
    names = (per_sequence,) if isinstance(per_sequence, str) else tuple(per_sequence)
    options = Options(
        sequence_id=sequence_id,
        order_by=order_by,
        per_sequence=names,
        on_empty=on_empty,
        duplicates=duplicates,
        text=text,
        documents=documents,
        encoding=encoding,
    )
    if is_of_shards(source):
        _warn_of_no_effect(None, options, "shards")
        return read_shards(source, options)
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
        _warn_of_no_effect(None, options, "a table in memory")
        return sequences_from_table(pa.table(source), Origin(), options)


def _read_file(source: str | Path, options: Options) -> Sequences:
    with reading(str(source)):
        path = find(source)
        if path.is_dir():
            path = path.resolve()  # "." has no name
    with reading(path.name):
        _warn_of_no_effect(path, options, path.name)
        if path.is_dir():
            return folder_reader(path)(path, options)
        ending = ending_of(path)
        if ending in TEXT_WHOLES:
            return TEXT_WHOLES[ending](path, options)
        if ending in OTHER_WHOLES:
            return with_keys(OTHER_WHOLES[ending](path, options), options)
        is_text = ending in TEXT_TABLES
        table, origin = TEXT_TABLES[ending](path, options) if is_text else BINARY_TABLES[ending](path)
        return sequences_from_table(table, origin, options)


def _warn_of_no_effect(path: Path | None, options: Options, what: str) -> None:
    for name in OF_TEXT_FILES:
        if getattr(options, name) is not None and not has_effect(name, path):
            which = "plain text files" if name == "documents" else "text files"
            warnings.warn(f"{name} (--{name}) has no effect on {what}; it is for {which}.", stacklevel=4)
