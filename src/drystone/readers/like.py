"""Reading data as other data were read, where that fits."""

from collections.abc import Mapping
from typing import Any

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.readers.read import read

KEYS = ("sequence_id", "order_by", "duplicates")


def read_like(source: Any, known: Mapping[str, Any], **given: Any) -> Sequences:
    """Reads as `read` does, with the keys that other data were read with, unless keys are given.

    Data that are kept in another form, with neither of the key columns, are read without them.

    Args:
        source: what `read` takes.
        known: `sequence_id`, `order_by` and `duplicates` of the other data; None where there is none.
        **given: of `read`; a key that is not None wins over the known one.

    Raises:
        DataError: as `read`.

    Example:
        >>> read_like("japanese-vowels", {"sequence_id": "id", "order_by": None}).field_names
        ('x', 'speaker', 'part')
    """
    others = {name: value for name, value in known.items() if value is not None}
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        return read(source, **{**others, **chosen})
    except DataError as error:
        if not others or any(name in chosen for name in KEYS):
            raise
        return _read_otherwise(source, chosen, others, error)


def _read_otherwise(source: Any, chosen: Mapping[str, Any], others: Mapping[str, Any], error: DataError) -> Sequences:
    try:
        found = read(source, **chosen)
    except DataError:
        raise error from None
    if {others.get("sequence_id"), others.get("order_by")} & set(found.field_names):
        raise error
    return found
