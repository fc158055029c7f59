"""What a source gives: examples and Sequences, checked against the first and laid end to end."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, cast, final

import numpy as np
import pyarrow as pa

from drystone.core.bounds import Bounds
from drystone.core.build import Parts
from drystone.core.column import Column
from drystone.core.convert import column_of
from drystone.core.errors import DataError
from drystone.core.grid import Ints
from drystone.core.lengths import offsets_of
from drystone.core.sequences import Sequences

Columns = Mapping[str, Column]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Schema:
    """The fields that every item has, each as an empty column.

    Args:
        step_columns: those with a value a step.
        sequence_columns: those with a value a sequence.
    """

    step_columns: Columns
    sequence_columns: Columns

    @classmethod
    def of(cls, seqs: Sequences) -> Self:
        """Returns the fields of these sequences."""
        return cls.of_parts(_of_sequences(seqs))

    @classmethod
    def of_parts(cls, parts: Parts) -> Self:
        """Returns the fields of an item."""
        return cls(step_columns=_emptied(parts.step_columns), sequence_columns=_emptied(parts.sequence_columns))

    def check(self, parts: Parts) -> None:
        """Raises DataError where an item has other fields, types or shapes; the message names the field."""
        known = {**self.step_columns, **self.sequence_columns}
        found = {**parts.step_columns, **parts.sequence_columns}
        _check_names(found, known)
        for name, column in found.items():
            if (name in parts.step_columns) != (name in self.step_columns):
                raise DataError(f"field {name!r} has a value a step in some items, and one a sequence in others.")
            if column.is_text != known[name].is_text or not _fits(column, known[name]):
                raise DataError(f"field {name!r} holds {_words(column)}; in the first item {_words(known[name])}.")

    def joined(self, items: Sequence[Parts]) -> Sequences:
        """Returns the sequences of all items, in order, in memory of their own."""
        lengths = np.concatenate([np.zeros(0, np.int64), *(item.lengths for item in items)])
        parts = Parts(
            step_columns={
                name: _end_to_end(empty, [item.step_columns[name] for item in items])
                for name, empty in self.step_columns.items()
            },
            sequence_columns={
                name: _end_to_end(empty, [item.sequence_columns[name] for item in items])
                for name, empty in self.sequence_columns.items()
            },
            starts=(starts := offsets_of(lengths)[:-1]),
            lengths=lengths,
            bounds=_joined_bounds(items, starts),
        )
        return Sequences.from_parts(parts, "error")


def parts_of(item: Any, per_step: Collection[str] | None) -> Parts:
    """Returns the columns of an item, end to end.

    Args:
        item: an example or Sequences.
        per_step: of an example, the fields with a value a step; None finds them.

    Raises:
        DataError: the item is neither, or an example of no steps, or of unequal numbers of them.
    """
    if isinstance(item, Sequences):
        return _of_sequences(item)
    if not isinstance(item, Mapping):
        raise DataError(f"it is of type {type(item).__name__}; expected a dict of fields, or Sequences.")
    example = cast("Mapping[str, Any]", item)
    names = [name for name, value in example.items() if _is_array(value)] if per_step is None else per_step
    if not names:
        raise DataError("no field has a value a step; at least one must be an array or list.")
    _check_names(example, {**dict.fromkeys(names), **example})
    steps = {name: column_of(_array(example[name], name), name) for name in names}
    wholes = {name: column_of([value], name) for name, value in example.items() if name not in steps}
    lengths = np.array([_one_length(steps)], dtype=np.int64)
    return Parts(step_columns=steps, sequence_columns=wholes, starts=np.zeros(1, np.int64), lengths=lengths)


def _of_sequences(seqs: Sequences) -> Parts:
    fields = [seqs.field(name) for name in seqs.field_names]
    starts = offsets_of(seqs.lengths)[:-1]
    bounds = None
    if not seqs.scores_every_step:
        first, stop = seqs.scored_steps()
        bounds = Bounds(lead=first, floor=starts, ceiling=starts + stop)
    return Parts(
        step_columns={field.name: field.compact for field in fields if field.per_step},
        sequence_columns={field.name: field.compact for field in fields if not field.per_step},
        starts=starts,
        lengths=seqs.lengths,
        bounds=bounds,
    )


def _is_array(value: Any) -> bool:
    if hasattr(value, "ndim"):
        return value.ndim > 0
    return hasattr(value, "__len__") and not isinstance(value, (str, bytes))


def _array(value: Any, name: str) -> Any:
    if not _is_array(value):
        raise DataError(f"field {name!r} is the single value {value!r}; expected one value a step.")
    return value


def _one_length(steps: Columns) -> int:
    (first, column), *others = steps.items()
    if not len(column):
        raise DataError(f"field {first!r} has 0 steps; every sequence needs at least 1. Drop it in the source.")
    for name, other in others:
        if len(other) != len(column):
            raise DataError(
                f"field {first!r} has {len(column)} steps and field {name!r} has {len(other)}. Where one of them "
                f"holds one value a sequence, name the others: Stream(..., per_step=[...])."
            )
    return len(column)


def _check_names(found: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for name in known:
        if name not in found:
            raise DataError(f"field {name!r} is missing; it has {', '.join(found) or 'no fields'}.")
    for name in found:
        if name not in known:
            raise DataError(f"field {name!r} is not in the first item, which has {', '.join(known)}.")


def _fits(column: Column, known: Column) -> bool:
    """Whether the values can be stored as those of the first item, with no loss but rounding."""
    if column.item_shape != known.item_shape:
        return False
    if column.is_text:
        return True
    kind, wanted = (cast("np.ndarray[Any, np.dtype[Any]]", each.values).dtype for each in (column, known))
    if kind == wanted:
        return True
    return column.is_numeric and known.is_numeric and (wanted.kind == "f" or np.can_cast(kind, wanted, "safe"))


def _words(column: Column) -> str:
    shape = "×".join(map(str, column.item_shape))
    return f"{column.type_name}[{shape}]" if shape else column.type_name


def _emptied(columns: Columns) -> dict[str, Column]:
    return {name: Column(column.values[:0]) for name, column in columns.items()}


def _joined_bounds(items: Sequence[Parts], starts: Ints) -> Bounds | None:
    if all(item.bounds is None for item in items):
        return None
    bounds = [item.bounds or Bounds.whole(item.starts, item.lengths) for item in items]
    stop = [bound.ceiling - item.starts for bound, item in zip(bounds, items, strict=True)]
    lead = np.concatenate([bound.lead for bound in bounds])
    return Bounds(lead=lead, floor=starts, ceiling=starts + np.concatenate(stop))


def _end_to_end(empty: Column, columns: Sequence[Column]) -> Column:
    values = [empty.values, *(column.values for column in columns)]
    if empty.is_text:
        return Column(pa.concat_arrays(cast("list[pa.Array]", values)))
    arrays = cast("list[np.ndarray[Any, np.dtype[Any]]]", values)
    return Column(np.concatenate(arrays, dtype=arrays[0].dtype, casting="same_kind"))
