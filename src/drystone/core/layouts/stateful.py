"""Stateful: tapes of whole sequences, cut into batches of equal steps; the state is carried from batch to batch."""

from dataclasses import dataclass
from heapq import heapify, heapreplace
from typing import get_args

import numpy as np

from drystone.core import shuffle as streams
from drystone.core.layouts.base import (
    Ints,
    Layout,
    Order,
    Placement,
    Shuffle,
    check_choice,
    check_positive,
    freeze,
)
from drystone.core.lengths import Lengths, ranges


@dataclass(frozen=True, slots=True)
class Stateful(Layout):
    """Each row is a tape of whole sequences end to end, and each batch the next `steps` columns of all tapes.

    A sequence may go on in the next batch, always on the same row, so the state of a row is carried on; it is
    reset where a sequence starts. Nothing is left out: a row that runs dry is invalid from there on.

    Args:
        rows: tapes, ≥ 1; with fewer sequences than rows, as many as there are sequences.
        steps: columns a batch, ≥ 1: the length of truncated backpropagation.
        order: "random" lays the longest sequences first, so that the tapes end together, with rows and equal
            lengths shuffled each epoch; "given" keeps the order: each goes to the tape that ends first.

    Example:
        >>> plan = Stateful(rows=2, steps=4, order="given").plan([6, 3, 3])
        >>> plan.table.to_pydict()["offset"], plan.num_batches
        ([0, 0, 0, 4, 1], 2)
    """

    rows: int
    steps: int
    order: Order = "random"

    def __post_init__(self) -> None:
        check_positive("Stateful", rows=self.rows, steps=self.steps)
        check_choice("Stateful", "order", self.order, get_args(Order))
        freeze(self, "rows", "steps")

    @property
    def longest(self) -> int | None:
        """No limit: a sequence goes on for as many batches as it needs."""
        return None

    def place(self, lengths: Lengths, shuffle: Shuffle) -> Placement:
        """Lays the tapes, then cuts them at every multiple of `steps`."""
        num_rows = min(self.rows, len(lengths))
        order = np.arange(len(lengths))
        names = np.arange(num_rows)
        if self.order == "random":
            order = shuffle(len(lengths), streams.SEQUENCES)
            order = order[np.argsort(-lengths[order], kind="stable")]
            names = shuffle(num_rows, streams.ROWS)
        tape, start = _tapes(lengths[order], num_rows)
        return self._cut(lengths[order], order, names[tape], start, num_rows)

    def _cut(self, lengths: Lengths, sequence: Ints, row: Ints, start: Ints, num_rows: int) -> Placement:
        last = start + lengths - 1
        first_batch = start // self.steps
        pieces = last // self.steps - first_batch + 1
        batch = ranges(first_batch, pieces)
        start, stop = np.repeat(start, pieces), np.repeat(last + 1, pieces)
        left = np.maximum(start, batch * self.steps)
        right = np.minimum(stop, (batch + 1) * self.steps)
        num_batches = int(batch.max()) + 1
        return Placement(
            batch=batch,
            row=np.repeat(row, pieces),
            step=left - batch * self.steps,
            sequence=np.repeat(sequence, pieces),
            offset=left - start,
            length=right - left,
            rows=np.full(num_batches, num_rows),
            steps=np.full(num_batches, self.steps),
        )


def _tapes(lengths: Lengths, num_rows: int) -> tuple[Ints, Ints]:
    """Lays each sequence, in this order, on the tape that ends first; returns its tape and where it starts there."""
    ends = [(0, row) for row in range(num_rows)]
    heapify(ends)
    tape = np.zeros(len(lengths), dtype=np.int64)
    start = np.zeros(len(lengths), dtype=np.int64)
    for index, length in enumerate(lengths.tolist()):
        end, row = ends[0]
        tape[index], start[index] = row, end
        heapreplace(ends, (end + length, row))
    return tape, start
