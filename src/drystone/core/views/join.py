"""Join: sequences laid end to end as one; the state crosses the borders."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from drystone.core.bounds import Bounds
from drystone.core.collapse import equal_values
from drystone.core.column import Column
from drystone.core.errors import DataError
from drystone.core.lengths import offsets_of, ranges
from drystone.core.origin import Origin
from drystone.core.views.note import ViewNote
from drystone.core.views.pieces import Ints

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences

Bools = npt.NDArray[np.bool_]


def join(seqs: "Sequences", by: str | None) -> "Sequences":
    """Returns one sequence for each value of the field `by`, or one for all."""
    if not len(seqs):
        raise DataError("join: there is no sequence to join.")
    group = np.zeros(len(seqs), np.int64) if by is None else _groups(seqs, by)
    order = np.argsort(group, kind="stable")
    members, group = seqs.select(order), group[order]
    is_first = np.append(True, group[1:] != group[:-1])
    _check_borders(members, is_first)
    members = _end_to_end(members, is_first)
    firsts, lasts = np.flatnonzero(is_first), np.flatnonzero(np.append(is_first[1:], True))
    starts = members.starts[firsts]
    lengths = members.starts[lasts] + members.lengths[lasts] - starts
    bounds = _bounds(members, firsts, lasts)
    wholes, changing = _common(members, is_first)
    note = ViewNote(
        view="join()" if by is None else f"join(by={by!r})",
        reason=f"fields left out, as their values differ: {', '.join(changing)}" if changing else "",
    )
    return replace(
        members,
        sequence_columns=wholes,
        starts=starts,
        lengths=lengths,
        rows=np.arange(len(firsts)),
        source_starts=starts,
        sources=None,
        bounds=bounds.unless_whole(starts, lengths),
        origin=members.origin if members.origin.one_step_a_row else Origin(),
        sequence_id=members.sequence_id if members.sequence_id in wholes else None,
        notes=(*seqs.notes, note),
    )


def _groups(seqs: "Sequences", by: str) -> Ints:
    field = seqs.field(by)
    if field.per_step or field.item_shape:
        raise DataError(f"join: field {by!r} has no single value a sequence; join by one that has.")
    return np.asarray(field.to_arrow().dictionary_encode("encode").indices, dtype=np.int64)


def _check_borders(members: "Sequences", is_first: Bools) -> None:
    bounds = members.bounds_of(np.arange(len(members)))
    is_last = np.append(is_first[1:], True)
    late = ~is_first & ((bounds.lead > 0) | (bounds.floor > members.starts))
    early = ~is_last & (bounds.ceiling < members.starts + members.lengths)
    if (late | early).any():
        at = int(np.argmax(late | early))
        where = "first" if late[at] else "last"
        raise DataError(
            f"join: the {where} steps of {members.place(at)} are not scored, and it would lie inside a longer "
            f"sequence. Join first; make windows, parts with a lead and splits after that."
        )


def _end_to_end(members: "Sequences", is_first: Bools) -> "Sequences":
    """Returns the members with those of one group after the other in memory; values are copied only if they are not."""
    follows = members.starts[1:] == (members.starts + members.lengths)[:-1]
    if (follows | is_first[1:]).all():
        return members
    origin, positions = members.origin, ranges(members.starts, members.lengths)
    if origin.name is not None and origin.one_step_a_row:
        origin = origin.taken(positions)
    starts = offsets_of(members.lengths)[:-1]
    moved = starts - members.starts
    bounds = members.bounds_of(np.arange(len(members)))
    return replace(
        members,
        step_columns={name: members.field(name).compact for name in members.step_columns},
        starts=starts,
        bounds=Bounds(lead=bounds.lead, floor=bounds.floor + moved, ceiling=bounds.ceiling + moved),
        origin=origin,
    )


def _bounds(members: "Sequences", firsts: Ints, lasts: Ints) -> Bounds:
    """Returns the bounds of the joined sequences: targets lie inside them."""
    begin, end = members.bounds_of(firsts), members.bounds_of(lasts)
    ceiling = np.minimum(end.ceiling, members.starts[lasts] + members.lengths[lasts])
    return Bounds(lead=begin.lead, floor=begin.floor, ceiling=ceiling)


def _common(members: "Sequences", is_first: Bools) -> tuple[dict[str, Column], list[str]]:
    """Returns the fields that have one value in every joined sequence, and the names of the others."""
    chosen = members.select(is_first)
    first_of = np.cumsum(is_first) - 1
    kept: dict[str, Column] = {}
    changing: list[str] = []
    for name in members.sequence_columns:
        whole, column = members.field(name), chosen.field(name).compact
        if equal_values(whole.values, column.take(first_of)).all():
            kept[name] = column
        else:
            changing.append(name)
    return kept, changing
