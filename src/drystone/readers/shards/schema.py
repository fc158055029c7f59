"""The columns that all shards share: names, and types that go together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from drystone.core.arrow import is_list, is_text
from drystone.core.errors import DataError
from drystone.readers.shards.shard import Shard


def common_types(schemas: Mapping[Shard, pa.Schema]) -> dict[str, pa.DataType]:
    """Returns the columns of all shards in the order of the first, each with a type that says what its values are.

    Args:
        schemas: of each shard, in their order.

    Raises:
        DataError: a shard has other columns than the first, or one of another type; the message names both.
    """
    (first, schema), *others = schemas.items()
    _check_once(first, schema.names)
    types = dict(zip(schema.names, schema.types, strict=True))
    known = dict.fromkeys(types, first)
    for shard, other in others:
        _check_names(first, schema.names, shard, other.names)
        for name, kind in zip(other.names, other.types, strict=True):
            if _is_open(types[name]):
                types[name], known[name] = kind, shard
            elif not _is_open(kind) and _in_words(kind) != _in_words(types[name]):
                raise DataError(
                    f"{shard.name} holds {_in_words(kind)} ({kind}) in column {name!r}, and {known[name].name} "
                    f"{_in_words(types[name])} ({types[name]}); all shards need one type."
                )
    return types


def aligned(table: pa.Table, types: Mapping[str, pa.DataType]) -> pa.Table:
    """Returns the table with its columns in this order; where all of one is missing, as missing values of its type."""
    table = table.select(list(types))
    for index, (field, kind) in enumerate(zip(table.schema, types.values(), strict=True)):
        if _is_open(field.type) and field.type != kind:
            table = table.set_column(index, field.name, table.column(index).cast(kind))
    return table


def _check_once(shard: Shard, names: Sequence[str]) -> None:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataError(f"{shard.name} has two columns called {twice[0]!r}; every column needs a name of its own.")


def _check_names(first: Shard, expected: Sequence[str], shard: Shard, names: Sequence[str]) -> None:
    _check_once(shard, names)
    missing = [repr(name) for name in expected if name not in names]
    extra = [repr(name) for name in names if name not in expected]
    if missing or extra:
        said = [f"no column {', '.join(missing)}"] if missing else []
        said += [f"a column {', '.join(extra)} more"] if extra else []
        raise DataError(
            f"{shard.name} has {' and '.join(said)}, where {first.name} has {', '.join(expected)}; all shards need the same "
            f"columns."
        )


def _inside(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_open(kind: pa.DataType) -> bool:
    """Whether a type says nothing, since every value is missing."""
    found = _inside(kind)
    if is_list(found) or pa.types.is_fixed_size_list(found):
        return _is_open(found.value_type)
    return pa.types.is_null(found)


def _in_words(kind: pa.DataType) -> str:
    return " of ".join(_parts(kind))


def _parts(kind: Any) -> Iterator[str]:
    found = _inside(kind)
    if is_list(found):
        yield from ("lists", *_parts(found.value_type))
    elif pa.types.is_fixed_size_list(found):
        yield from (f"vectors of {found.list_size}", *_parts(found.value_type))
    elif is_text(found):
        yield "text"
    elif pa.types.is_timestamp(found) or pa.types.is_date(found):
        yield "times with a time zone" if getattr(found, "tz", None) else "times"
    elif (
        pa.types.is_integer(found)
        or pa.types.is_floating(found)
        or pa.types.is_boolean(found)
        or pa.types.is_decimal(found)
    ):
        yield "numbers"
    else:
        yield str(found)
