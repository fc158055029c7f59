"""Ahead: a lazy field of values that lie some steps ahead."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from drystone.core.ahead import Ahead
from drystone.core.errors import DataError
from drystone.core.views.arguments import whole
from drystone.core.views.note import ViewNote

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences


def ahead(seqs: "Sequences", field: str, offsets: Iterable[int], name: str | None) -> "Sequences":
    """Returns the sequences with one more field a step: the values of `field` at these offsets from the step."""
    _check_field(seqs, field)
    chosen = _check_offsets(offsets)
    new = f"{field}_ahead" if name is None else name
    if new in seqs.field_names:
        raise DataError(f"ahead: there is a field {new!r} already; pass another name=.")
    note = ViewNote(
        view=f"ahead({field!r}, {_in_short(chosen)})",
        reason=f"steps with fewer than {max(chosen):,} after them are not scored",
    )
    return replace(
        seqs,
        ahead_fields={**seqs.ahead_fields, new: Ahead(source=field, offsets=chosen)},
        notes=(*seqs.notes, note),
    )


def _check_field(seqs: "Sequences", field: str) -> None:
    found = seqs.field(field)
    if field in seqs.ahead_fields:
        source = seqs.ahead_fields[field].source
        raise DataError(f"ahead: field {field!r} looks ahead itself; look ahead in {source!r}, which it looks at.")
    if not found.per_step:
        raise DataError(f"ahead: field {field!r} has a value a sequence; expected one with a value a step.")
    if found.is_text:
        raise DataError(f"ahead: field {field!r} holds text; expected numbers, such as the ids of its words.")


def _check_offsets(offsets: object) -> tuple[int, ...]:
    if isinstance(offsets, str) or not isinstance(offsets, Iterable):
        raise DataError(
            f"ahead: offsets must be a list of whole numbers, such as [1] or range(1, 25); got {offsets!r}."
        )
    chosen = tuple(
        whole("ahead", f"offsets[{at}]", offset, 1) for at, offset in enumerate(cast("Iterable[object]", offsets))
    )
    if not chosen:
        raise DataError("ahead: offsets is empty; pass at least one, such as [1] for the next step.")
    return chosen


def _in_short(offsets: tuple[int, ...]) -> str:
    run = range(offsets[0], offsets[-1] + 1)
    return str(run) if len(offsets) > 1 and offsets == tuple(run) else str(list(offsets))
