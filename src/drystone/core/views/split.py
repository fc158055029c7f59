"""Split by time: parts for training, validation and test that share no target."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from drystone.core.bounds import Bounds
from drystone.core.errors import DataError
from drystone.core.views.arguments import whole
from drystone.core.views.fractions import check_fractions, share_of
from drystone.core.views.note import ViewNote
from drystone.core.views.pieces import Ints, Pieces, counted_from, pieces_of
from drystone.core.views.times import check_times, first_not_before, quantiles, times_of

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences

Context = Literal["before"] | int | None


def split_by_time(
    seqs: "Sequences", at: Sequence[Any] | None, fractions: Sequence[float] | None, field: str | None, context: Context
) -> tuple["Sequences", ...]:
    """Returns one Sequences a part; the borders are one time for all, or fractions of each sequence's steps."""
    _check_context(context)
    pairs = borders_of(seqs, at, fractions, field)
    words = f"at={[str(when) for when in at]}" if at is not None else f"fractions={fractions}"
    view = f"split_by_time({words}, context={context!r})"
    return tuple(
        part_between(seqs, pair, context, f"{view}, part {number} of {len(pairs)}")
        for number, pair in enumerate(pairs, start=1)
    )


def borders_of(
    seqs: "Sequences", at: Sequence[Any] | None, fractions: Sequence[float] | None, field: str | None
) -> list[tuple[Ints, Ints]]:
    """Returns between which positions, among all values, each part of each sequence lies: [sequences] each.

    Raises:
        DataError: as `Sequences.split_by_time`.
    """
    if (at is None) == (fractions is None):
        raise DataError("split_by_time: give either at= or fractions=.")
    name = seqs.order_by if field is None else field
    bounds = seqs.bounds_of(np.arange(len(seqs)))
    if name is None:
        bounds = _apart(seqs, bounds)
        borders = _own_borders(seqs, fractions)
    else:
        borders = _common_borders(seqs, bounds, name, at, fractions)
    first, last = np.minimum(seqs.starts, bounds.floor), np.maximum(bounds.ceiling, seqs.starts + seqs.lengths)
    return list(pairwise([first, *borders, last]))


def _common_borders(
    seqs: "Sequences", bounds: Bounds, name: str, at: Sequence[Any] | None, fractions: Sequence[float] | None
) -> list[Ints]:
    """Returns where each part but the first begins: at the same time in every sequence."""
    times = times_of(seqs, bounds, name)
    if fractions is None:
        borders = check_times(at, times, name)
    else:
        borders = quantiles(seqs.field(name).values, check_fractions(fractions))
    return [first_not_before(seqs, bounds, times, when) for when in borders]


def _own_borders(seqs: "Sequences", fractions: Sequence[float] | None) -> list[Ints]:
    """Returns where each part but the first begins: at fractions of the steps of each sequence."""
    if fractions is None:
        raise DataError("split_by_time: at= needs a field of times; pass field=, or read the data with order_by=.")
    return [seqs.starts + share_of(seqs.lengths, share) for share in check_fractions(fractions)]


def _apart(seqs: "Sequences", bounds: Bounds) -> Bounds:
    """Returns the bounds with targets inside each sequence, where no two share a step."""
    order = np.argsort(seqs.starts, kind="stable")
    shared = seqs.starts[order][1:] < (seqs.starts + seqs.lengths)[order][:-1]
    if shared.any():
        first, second = sorted(order[int(np.argmax(shared)) + np.arange(2)].tolist())
        raise DataError(
            f"split_by_time: sequences {first} and {second} share steps, so that parts of them would share targets. "
            f"Split first and make windows after that, or pass field= with the times."
        )
    return replace(bounds, ceiling=np.minimum(bounds.ceiling, seqs.starts + seqs.lengths))


def part_between(seqs: "Sequences", pair: tuple[Ints, Ints], context: Context, view: str) -> "Sequences":
    """Returns the part whose own steps lie from the first position of the pair up to the second.

    Args:
        seqs: the sequences.
        pair: [sequences] each, among all values; equal where a sequence has no step in the part.
        context: see `split_by_time`.
        view: what the note calls it.

    Raises:
        DataError: the part holds no step.
    """
    lower, upper = pair
    bounds = seqs.bounds_of(np.arange(len(seqs)))
    begin, ends = counted_from(seqs, bounds), seqs.starts + seqs.lengths
    own, stop = np.maximum(lower, seqs.starts), np.minimum(ends, upper)
    starts = seqs.starts if context == "before" else np.maximum(own - (context or 0), seqs.starts)
    counted = stop - np.maximum(begin, own)
    kept = np.flatnonzero(counted > 0)
    if len(kept) == 0:
        raise DataError(f"{view}: it holds no step. Choose borders inside the data.")
    note = ViewNote(
        view=view,
        left_out_steps=int((ends - begin).sum() - counted[kept].sum()),
        left_out_sequences=len(seqs) - len(kept),
        reason="they belong to the other parts",
    )
    inner = Bounds(
        lead=(seqs.starts + bounds.lead - starts).clip(0),
        floor=np.maximum(bounds.floor, lower),
        ceiling=np.minimum(bounds.ceiling, upper),
    )
    pieces = Pieces(of=kept, starts=starts[kept], lengths=(stop - starts)[kept], bounds=inner.take(kept))
    return pieces_of(seqs, pieces, note)


def _check_context(context: Context) -> None:
    if isinstance(context, str) and context != "before":
        raise DataError(f'split_by_time: context must be None, "before" or a number of steps; got {context!r}.')
    if context is not None and not isinstance(context, str):
        whole("split_by_time", "context", context, 1)
