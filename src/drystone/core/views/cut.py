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
    size, longer = np.divmod(ends - begin, count)  # the first `longer` parts hold one step more
    own = begin[of] + number * size[of] + np.minimum(number, longer[of])
    stop = own + size[of] + (number < longer[of])
    starts = np.where(number == 0, seqs.starts[of], np.maximum(own - lead, seqs.starts[of]))
    inner = bounds.take(of)
    pieces = Pieces(
        of=of,
        starts=starts,
        lengths=stop - starts,
        bounds=replace(inner, lead=np.where(number == 0, inner.lead, own - starts)),
    )
    warm = np.where(number == 0, 0, own - starts)
    before = size[of] + (number <= longer[of])  # the length of the part before
    new = np.where(number > 1, np.minimum(warm, before), warm)  # what no lead of an earlier part repeats
    note = ViewNote(view=f"cut(parts={parts}, lead={lead})", repeated_steps=int(new.sum()))
    return pieces_of(seqs, pieces, note)
