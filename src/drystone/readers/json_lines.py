"""JSON lines: one object a line."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import json as arrow_json

from drystone.core.errors import DataError
from drystone.core.origin import Origin
from drystone.readers.options import Options
from drystone.readers.text import origin_of, parse_in_blocks, text_of


def read_json_lines(path: Path, options: Options) -> tuple[pa.Table, Origin]:
    """Reads a table with one row a line.

    Raises:
        DataError: a line is no JSON object, or a column mixes types.
    """
    data = text_of(path, options.encoding)
    try:
        table = parse_json(data)
    except pa.ArrowInvalid as error:
        lines = data.to_pybytes().split(b"\n")
        fault = find_fault((f"line {number} of {path.name}", line) for number, line in enumerate(lines, start=1))
        raise DataError(fault or f"{path.name} is not JSON lines: {error}") from error
    return table, origin_of(path.name, data, num_records=table.num_rows, num_headers=0)


def parse_json(data: pa.Buffer) -> pa.Table:
    """Parses JSON lines; types come from the whole of the data."""
    table = parse_in_blocks(lambda size: _parse(data, size), data)
    try:
        table.validate()
    except pa.ArrowInvalid:
        # pyarrow 26 loses values of lists that begin with a null, unless it is told their type.
        schema = pa.schema(
            [(name, _with_numbers(kind)) for name, kind in zip(table.column_names, table.schema.types, strict=True)]
        )
        return parse_in_blocks(lambda size: _parse(data, size, explicit_schema=schema), data)
    return table


def _parse(data: pa.Buffer, block_bytes: int, **how: Any) -> pa.Table:
    read, parse = arrow_json.ReadOptions(block_size=block_bytes), arrow_json.ParseOptions(**how)
    return arrow_json.read_json(pa.BufferReader(data), read_options=read, parse_options=parse)


def _with_numbers(kind: pa.DataType) -> pa.DataType:
    """The same type, with floats where nothing but nulls was seen."""
    if pa.types.is_list(kind):
        return pa.list_(_with_numbers(kind.value_type))
    return pa.float64() if pa.types.is_null(kind) else kind


def find_fault(lines: Iterable[tuple[str, bytes]]) -> str | None:
    """Returns words on the first line that is no JSON object or whose types differ from those before.

    Args:
        lines: of each line, where it stands and what it holds.
    """
    seen: dict[str, tuple[str, str]] = {}
    for where, line in lines:
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            return f"{where} is not JSON: {error}."
        if not isinstance(record, dict):
            return f'{where} holds {_kind(record)}; expected an object such as {{"x": [0.5, 1.5], "y": "a"}}.'
        for name, value in record.items():
            kind = _kind(value)
            first_kind, first_where = seen.setdefault(name, (kind, where))
            if "null" not in (kind, first_kind) and kind != first_kind:
                return f"{where} holds {kind} in {name!r}, and {first_where} holds {first_kind}; expected one type."
            if first_kind == "null":
                seen[name] = (kind, where)
    return None


def _kind(value: Any) -> str:
    if isinstance(value, list):
        kinds = sorted({_kind(item) for item in value} - {"null"})
        return f"a list of {' and '.join(kinds)}" if kinds else "null"
    if isinstance(value, bool) or value is None:
        return "null" if value is None else "a bool"
    names: dict[type, str] = {int: "a number", float: "a number", str: "a text"}
    return names.get(type(value), "an object")
