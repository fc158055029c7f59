"""Pasts: windows that end at given steps, each as long as the past allows."""

from dataclasses import replace

import numpy as np

from drystone.core.lengths import Lengths, ranges
from drystone.core.sequences import Sequences
from drystone.core.views.note import ViewNote
from drystone.core.views.pieces import Ints, Pieces, pieces_of


def pasts(seqs: Sequences, window: int, first: Ints, count: Lengths) -> Sequences:
    """Returns a sequence for each of some steps: that step, and up to window − 1 steps before it. Only the step is scored.

    Args:
        seqs: the sequences.
        window: the most steps of each, ≥ 1.
        first: [sequences] the first of the steps ...
        count: [sequences] ... and how many there are.

    Example:
        >>> seqs = Sequences.from_arrays({"x": [[1, 2, 3, 4]]})
        >>> [found["x"].tolist() for found in pasts(seqs, 2, np.array([0]), np.array([3]))]
        [[1], [1, 2], [2, 3]]
    """
    every = np.arange(len(seqs))
    of, step = np.repeat(every, count), ranges(first, count)
    begin = np.maximum(step - window + 1, 0)
    lengths = step - begin + 1
    bounds = replace(seqs.bounds_of(every).take(of), lead=lengths - 1)
    pieces = Pieces(of=of, starts=seqs.starts[of] + begin, lengths=lengths, bounds=bounds)
    return pieces_of(seqs, pieces, ViewNote(view=f"pasts(window={window})"))
