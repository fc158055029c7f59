"""CSV and TSV files."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from drystone.core.arrow import is_text
from drystone.core.errors import DataError
from drystone.core.origin import Origin
from drystone.readers.json_lines import find_fault, parse_json
from drystone.readers.options import Options
from drystone.readers.strays import warn_of_strays
from drystone.readers.text import MAX_BLOCK_BYTES, origin_of, parse_in_blocks, text_of

JSON_LIST = r'(?s)^\s*\[\s*(\]|([-.0-9\["]|null|true|false|NaN).*\])\s*$'
DECIMAL_COMMA = r"^\s*(-?\d*,\d+)?\s*$"
OTHER_DELIMITERS = (";", "\t", ",")
NUM_HEADERS = 1


def read_csv(path: Path, options: Options) -> tuple[pa.Table, Origin]:
    """Reads a table of values between commas, with the names of the columns in the first line.

    Semicolons or tabs serve too, where the first line holds no comma; with semicolons, decimal commas as well.

    Raises:
        DataError: a line has too many or too few values, or a list in it is no JSON.
    """
    return _read(path, ",", options)


def read_tsv(path: Path, options: Options) -> tuple[pa.Table, Origin]:
    """Reads a table of values between tabs, with the names of the columns in the first line.

    Raises:
        DataError: a line has too many or too few values, or a list in it is no JSON.
    """
    return _read(path, "\t", options)


def _read(path: Path, usual: str, options: Options) -> tuple[pa.Table, Origin]:
    data = text_of(path, options.encoding)
    delimiter = _delimiter(data, usual)
    try:
        table = parse_in_blocks(lambda size: _parse(data, delimiter, size, options), data)
        if delimiter == ";" and any(_all_match(column, DECIMAL_COMMA) for column in table.columns):
            table = parse_in_blocks(lambda size: _parse(data, delimiter, size, options, ","), data)
    except pa.ArrowInvalid as error:
        raise DataError(_uneven_line(path, data, delimiter) or f"{path.name} is not a table: {error}") from error
    origin = origin_of(path.name, data, num_records=table.num_rows, num_headers=NUM_HEADERS)
    warn_of_strays(table, origin)
    for index, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
        if pa.types.is_time(column.type):
            table = table.set_column(index, name, column.cast(pa.string()))
        elif name != options.text and _all_match(column, JSON_LIST):
            table = table.set_column(index, name, _lists(column, name, origin))
    return table, origin


def _delimiter(data: pa.Buffer, usual: str) -> str:
    """Returns the usual delimiter, or another one where the header holds that alone."""
    header = data.to_pybytes().lstrip(b"\r\n").split(b"\n", 1)[0].decode()
    found = [other for other in OTHER_DELIMITERS if other in header]
    return found[0] if usual not in header and found else usual


def _all_match(column: pa.ChunkedArray, pattern: str) -> bool:
    """Whether every text that a column holds looks like this, and there is one."""
    if not is_text(column.type) or column.null_count == len(column):
        return False
    return bool(pc.all(pc.match_substring_regex(column, pattern)).as_py())


def _parse(data: pa.Buffer, delimiter: str, block_bytes: int, options: Options, decimal_point: str = ".") -> pa.Table:
    types = {} if options.text is None else {options.text: pa.large_string()}  # a document may be a number
    return csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(block_size=block_bytes),
        parse_options=_parse_options(delimiter),
        convert_options=csv.ConvertOptions(decimal_point=decimal_point, column_types=types),
    )


def _parse_options(delimiter: str, **more: Any) -> csv.ParseOptions:
    return csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, **more)


def _uneven_line(path: Path, data: pa.Buffer, delimiter: str) -> str | None:
    """Returns words on the first line with too many or too few values, or None where the fault is another."""
    uneven: list[csv.InvalidRow] = []

    def note(row: csv.InvalidRow) -> str:
        uneven.append(row)
        return "skip"

    # One thread and one block, since Arrow numbers no lines otherwise.
    read = csv.ReadOptions(use_threads=False, block_size=min(data.size, MAX_BLOCK_BYTES))
    parse = _parse_options(delimiter, invalid_row_handler=note)
    try:
        table = csv.read_csv(pa.BufferReader(data), read_options=read, parse_options=parse)
    except pa.ArrowInvalid:
        return None
    if not uneven:
        return None
    first = uneven[0]
    origin = origin_of(path.name, data, num_records=table.num_rows + len(uneven), num_headers=NUM_HEADERS)
    record = first.number - 1 - NUM_HEADERS
    return (
        f"{origin.where(record, record)} holds {first.actual_columns} values; expected {first.expected_columns}, "
        f"one for each of {', '.join(table.column_names)}. It reads: {first.text[:80]}"
    )


def _lists(column: pa.ChunkedArray, name: str, origin: Origin) -> pa.ChunkedArray:
    """Parses texts such as [1, 2] into lists."""
    texts = pc.replace_substring(column, "\n", " ")
    lines = pc.binary_join_element_wise('{"value":', texts, "}\n", "").to_pylist()
    sink = pa.BufferOutputStream()
    sink.write("".join(lines).encode())
    try:
        return parse_json(sink.getvalue())["value"]
    except pa.ArrowInvalid as error:
        named = ((origin.where(row, row), line.encode()) for row, line in enumerate(lines))
        fault = find_fault(named) or str(error)
        raise DataError(f"column {name!r} should hold JSON lists, such as [0.5, 1.5]. {fault}") from error
