"""What most views make: pieces of sequences, each a run of steps where it lies."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from drystone.core.bounds import Bounds
from drystone.core.lengths import Lengths
from drystone.core.views.note import ViewNote

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """Runs of steps; each attribute is [pieces].

    Args:
        of: the sequence that each is a piece of.
        starts: where it starts among all values.
        lengths: its steps.
        bounds: what counts in it.
    """

    of: Ints
    starts: Ints
    lengths: Lengths
    bounds: Bounds


def pieces_of(seqs: "Sequences", pieces: Pieces, note: ViewNote) -> "Sequences":
    """Returns the pieces as sequences."""
    for array in (pieces.starts, pieces.lengths):
        array.setflags(write=False)
    return replace(
        seqs,
        starts=pieces.starts,
        lengths=pieces.lengths,
        rows=seqs.rows[pieces.of],
        sources=None if seqs.sources is None else seqs.sources[pieces.of],
        bounds=pieces.bounds.unless_whole(pieces.starts, pieces.lengths),
        dropped=seqs.dropped[:0],
        remarks=(),
        notes=(*seqs.notes, note),
    )


def counted_from(seqs: "Sequences", bounds: Bounds) -> Ints:
    """Returns the position of the first step of each sequence that counts, whatever fields look ahead."""
    return np.clip(bounds.floor, seqs.starts + np.minimum(bounds.lead, seqs.lengths), seqs.starts + seqs.lengths)
