"""Truncate: long sequences shortened, and what is lost counted."""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from drystone.core.errors import DataError
from drystone.core.views.arguments import whole
from drystone.core.views.note import ViewNote
from drystone.core.views.pieces import Pieces, pieces_of
from drystone.core.words import so_many

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences

Keep = Literal["first", "last"]


def truncate(seqs: "Sequences", max_steps: int, keep: Keep) -> "Sequences":
    """Returns the sequences with at most `max_steps` steps each; the rest is no longer part of the data."""
    max_steps = whole("truncate", "max_steps", max_steps, 1)
    if keep not in get_args(Keep):
        raise DataError(f'truncate: keep must be "first" or "last"; got {keep!r}.')
    bounds = seqs.bounds_of(np.arange(len(seqs)))
    lengths = np.minimum(seqs.lengths, max_steps)
    lost = seqs.lengths - lengths
    if keep == "first":
        starts = seqs.starts.copy()
        shorter = np.where(lost > 0, np.minimum(bounds.ceiling, starts + lengths), bounds.ceiling)
        bounds = replace(bounds, ceiling=shorter)
    else:
        starts = seqs.starts + lost
        bounds = replace(bounds, lead=(bounds.lead - lost).clip(0))
    longer = int((lost > 0).sum())
    note = ViewNote(
        view=f"truncate(max_steps={max_steps}, keep={keep!r})",
        left_out_steps=int(lost.sum()),
        reason=f"of {so_many(longer, 'longer sequence')}" if longer else "",
    )
    return pieces_of(seqs, Pieces(of=np.arange(len(seqs)), starts=starts, lengths=lengths, bounds=bounds), note)
