"""Cut: each sequence into consecutive parts, so that one long series fills many rows."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from drystone.core.lengths import ranges
from drystone.core.views.arguments import whole
from drystone.core.views.note import ViewNote
from drystone.core.views.pieces import Pieces, counted_from, pieces_of

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences


def cut(seqs: "Sequences", parts: int, lead: int) -> "Sequences":
    """Returns each sequence cut into parts; what counts in it is divided, what comes before stays with the first."""
    parts = whole("cut", "parts", parts, 1)
    lead = whole("cut", "lead", lead, 0)
    bounds = seqs.bounds_of(np.arange(len(seqs)))
    begin, ends = counted_from(seqs, bounds), seqs.starts + seqs.lengths
    count = np.clip(ends - begin, 1, parts)
    of = np.repeat(np.arange(len(seqs)), count)
    number = ranges(np.zeros_like(count), count)
    total, count = (ends - begin)[of], count[of]
    own, stop = (begin[of] + total * at // count for at in (number, number + 1))
    starts = np.where(number == 0, seqs.starts[of], np.maximum(own - lead, seqs.starts[of]))
    inner = bounds.take(of)
    pieces = Pieces(
        of=of,
        starts=starts,
        lengths=stop - starts,
        bounds=replace(inner, lead=np.where(number == 0, inner.lead, own - starts)),
    )
    before = np.where(number == 0, own, np.append(seqs.starts[:1], own[:-1]))
    before = np.where(number == 1, seqs.starts[of], before)
    note = ViewNote(
        view=f"cut(parts={parts}, lead={lead})",
        repeated_steps=int((own - np.maximum(starts, before)).sum()),
    )
    return pieces_of(seqs, pieces, note)
