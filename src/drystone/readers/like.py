"""Reading data as other data were read, where that fits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.readers.find import find
from drystone.readers.formats import OF_TEXT_FILES, has_effect
from drystone.readers.read import read

OF_STEPS = ("sequence_id", "order_by", "duplicates")
KEYS = (*OF_STEPS, "text", *OF_TEXT_FILES)
"""What `read` is told of data, and other data that are read like them."""


def read_like(source: Any, known: Mapping[str, Any], **given: Any) -> Sequences:
    """Reads as `read` does, with the `KEYS` that other data were read with, unless keys are given.

    Data that are kept in another form, with neither of the columns `sequence_id` and `order_by`, are read without them; what
    is said of text files counts for those only.

    Args:
        source: what `read` takes.
        known: the keys of the other data; None where there is none.
        **given: of `read`; a key that is not None wins over the known one.

    Raises:
        DataError: as `read`.

    Example:
        >>> read_like("japanese-vowels", {"sequence_id": "id", "order_by": None}).field_names
        ('x', 'speaker', 'part')
    """
    others = that_count(source, known)
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        return read(source, **{**others, **chosen})
    except DataError as error:
        if not any(name in others for name in OF_STEPS) or any(name in chosen for name in OF_STEPS):
            raise
        return _read_otherwise(source, chosen, others, error)


def that_count(source: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the keys that say anything of how a source is read, and are not None."""
    said = {name: value for name, value in known.items() if value is not None}
    try:
        path = find(source) if isinstance(source, (str, Path)) else None
        return {name: value for name, value in said.items() if name not in OF_TEXT_FILES or has_effect(name, path)}
    except DataError:
        return said  # `read` says what is wrong


def _read_otherwise(source: Any, chosen: Mapping[str, Any], others: Mapping[str, Any], error: DataError) -> Sequences:
    rest = {name: value for name, value in others.items() if name not in OF_STEPS}
    try:
        found = read(source, **{**rest, **chosen})
    except DataError:
        raise error from None
    if {others.get("sequence_id"), others.get("order_by")} & set(found.field_names):
        raise error
    return found
