"""Items of people's own datasets, made into sequences."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
from drystone.core.lengths import offsets_of
from drystone.core.sequences import Sequences
from drystone.torch.places import PlacedItems, Places

Array = npt.NDArray[Any]


def named(item: Any, number: int, names: Sequence[str]) -> dict[str, Array]:
    """Returns the fields of an item by name, as arrays.

    Args:
        item: a mapping, a namedtuple, a tuple of fields, or the one field itself.
        number: of the item, for errors.
        names: of the fields of a tuple, in order.

    Raises:
        DataError: a tuple of more fields than names, or a field that is no array.
    """
    if isinstance(item, Mapping):
        fields = dict(item)
    elif isinstance(item, tuple):
        found = getattr(item, "_fields", names)
        if len(item) > len(found):
            raise DataError(
                f"item {number} is a tuple of {len(item)} fields, but only {len(found)} have names: "
                f"{', '.join(found)}. Name them all: Collate(names=(...))."
            )
        fields = dict(zip(found, item, strict=False))
    else:
        fields = {names[0]: item}
    return {str(name): _array(value, name, number) for name, value in fields.items()}


def pieces(placed: PlacedItems, names: Sequence[str], per_step: Collection[str] | None) -> Sequences:
    """Returns what the spans show as sequences of their own: sequence i holds the steps of span i.

    Where there are no spans, one sequence shows which fields there are.

    Args:
        placed: the items, one a span.
        names: of the fields of a tuple, in order.
        per_step: the fields with a value a step; None takes all that have a dimension.

    Raises:
        DataError: an item of another length than planned, or one that differs from the others in fields, shape or type.
    """
    places = placed.places.shown()
    items = [named(item, number, names) for item, number in zip(placed.items, places, strict=True)]
    _check_fields(items, places)
    steps = _step_fields(items[0], places[0], per_step)
    columns = {name: [item[name] for item in items] for name in items[0]}
    return Sequences.from_ragged(
        offsets_of(places.spans.length),
        {name: _steps(columns[name], name, places, inferred=per_step is None) for name in steps},
        {name: _wholes(columns[name], name, places) for name in columns if name not in steps},
    )


def _check_fields(items: list[dict[str, Array]], places: Places) -> None:
    for item, number in zip(items, places, strict=True):
        if item.keys() != items[0].keys():
            raise DataError(
                f"item {number} has the fields {', '.join(item)}; item {places[0]} has {', '.join(items[0])}. "
                f"All items need the same."
            )


def _step_fields(item: dict[str, Array], number: int, per_step: Collection[str] | None) -> list[str]:
    for name in per_step or ():
        if name not in item:
            raise DataError(f"per_step names {name!r}; the fields of item {number} are: {', '.join(item)}.")
    found = [name for name, array in item.items() if (array.ndim > 0 if per_step is None else name in per_step)]
    if not found:
        raise DataError(f"item {number} has no field with a value a step; its fields are: {', '.join(item)}.")
    return found


def _array(value: Any, name: str, number: int) -> Array:
    try:
        return np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise DataError(f"item {number}: field {name!r} cannot be read as an array: {error}") from error


def _steps(arrays: list[Array], name: str, places: Places, *, inferred: bool) -> Array:
    for array, number, length in zip(arrays, places, places.lengths.tolist(), strict=True):
        found = len(array) if array.ndim else "no"
        if found != length:
            hint = " If it has one value a sequence, name those with a value a step: Collate(per_step=[...])."
            raise DataError(
                f"item {number} has {found} steps in field {name!r}; planned from lengths[{number}] are {length}."
                f"{hint if inferred else ''}"
            )
    _check_alike(arrays, name, places, items_from=1)
    spans = places.spans
    cut = zip(arrays, spans.offset.tolist(), spans.length.tolist(), strict=True)
    return np.concatenate([array[offset : offset + length] for array, offset, length in cut])


def _wholes(arrays: list[Array], name: str, places: Places) -> Array:
    _check_alike(arrays, name, places, items_from=0)
    return np.stack(arrays)


def _check_alike(arrays: list[Array], name: str, places: Places, *, items_from: int) -> None:
    first = _in_words(arrays[0], items_from)
    for array, number in zip(arrays, places, strict=True):
        if _in_words(array, items_from) != first:
            raise DataError(
                f"field {name!r}: item {number} holds {_in_words(array, items_from)}, and item {places[0]} {first}; "
                f"all items need one type and shape."
            )


def _in_words(array: Array, items_from: int) -> str:
    kind = {"U": "text", "T": "text", "O": "text", "M": "timestamps"}.get(array.dtype.kind, "numbers")
    return f"{kind} of shape {array.shape[items_from:]}"
