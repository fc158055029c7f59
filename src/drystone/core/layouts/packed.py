"""Packed: whole sequences end to end on rows, with next to no padding."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

import numpy as np

from drystone.core import shuffle as streams
from drystone.core.errors import LayoutError
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
from drystone.core.lengths import Lengths, offsets_of


@dataclass(frozen=True, slots=True)
class Packed(Layout):
    """Whole sequences end to end on rows; the state is reset where each one starts.

    Each batch takes the next sequences of the order and lays them by best fit, longest first.

    Args:
        rows: rows a batch; with `steps`. The last batch may have fewer.
        steps: steps a row. With `sequences` it may be left out: rows are then as long as their longest sequence.
        sequences: exactly this many sequences a batch (but for the last), on as many rows as they need.
        order: "random" or "given": which sequences come together.

    Example:
        >>> plan = Packed(rows=2, steps=6).plan([3, 6, 2, 1])
        >>> plan.num_batches, plan.padding_fraction
        (1, 0.0)
    """

    rows: int | None = None
    steps: int | None = None
    sequences: int | None = None
    order: Order = "random"

    def __post_init__(self) -> None:
        check_choice("Packed", "order", self.order, get_args(Order))
        if self.sequences is None and (self.rows is None or self.steps is None):
            raise LayoutError("Packed: give rows= and steps=, or sequences=.")
        if self.sequences is not None and self.rows is not None:
            raise LayoutError("Packed: give rows= or sequences=, not both; with sequences= the rows are counted.")
        given = {"rows": self.rows, "steps": self.steps, "sequences": self.sequences}
        check_positive("Packed", **{name: number for name, number in given.items() if number is not None})
        freeze(self, *given)

    @property
    def longest(self) -> int | None:
        """The steps of a row, if they are given."""
        return self.steps

    def place(self, lengths: Lengths, shuffle: Shuffle) -> Placement:
        """Lays batch after batch until no sequence is left."""
        order = np.arange(len(lengths)) if self.order == "given" else shuffle(len(lengths), streams.SEQUENCES)
        cuts = self._by_count(lengths, order) if self.sequences is not None else self._by_grid(lengths, order)
        laid = list(cuts)
        counts = [len(sequence) for sequence, _, _, _ in laid]
        return Placement(
            batch=np.repeat(np.arange(len(laid)), counts),
            row=np.concatenate([row for _, row, _, _ in laid]),
            step=np.concatenate([step for _, _, step, _ in laid]),
            sequence=np.concatenate([sequence for sequence, _, _, _ in laid]),
            rows=np.array([int(row.max()) + 1 for _, row, _, _ in laid]),
            steps=np.array([steps for _, _, _, steps in laid]),
        )

    def _by_count(self, lengths: Lengths, order: Ints) -> Iterator[tuple[Ints, Ints, Ints, int]]:
        assert self.sequences is not None
        for start in range(0, len(order), self.sequences):
            sequence = order[start : start + self.sequences]
            steps = self.steps or int(lengths[sequence].max())
            row, step = best_fit(lengths[sequence], steps, max_rows=len(sequence))
            yield sequence, row, step, steps

    def _by_grid(self, lengths: Lengths, order: Ints) -> Iterator[tuple[Ints, Ints, Ints, int]]:
        assert self.rows is not None
        assert self.steps is not None
        cells = self.rows * self.steps
        waiting, taken = order[:0], 0
        ends = offsets_of(lengths[order])[1:]
        while len(waiting) or taken < len(order):
            room = cells - int(lengths[waiting].sum()) + (int(ends[taken - 1]) if taken else 0)
            upto = int(np.searchsorted(ends, room, side="right"))
            sequence = np.concatenate([waiting, order[taken:upto]])
            taken = max(taken, upto)
            row, step = best_fit(lengths[sequence], self.steps, max_rows=self.rows)
            fits = row >= 0
            waiting = sequence[~fits]
            yield sequence[fits], row[fits], step[fits], self.steps


def best_fit(lengths: Lengths, steps: int, max_rows: int) -> tuple[Ints, Ints]:
    """Lays sequences on rows, longest first, each where it leaves the least room.

    Args:
        lengths: [sequences], each ≤ steps.
        steps: the steps of a row.
        max_rows: rows that may be opened.

    Returns:
        The row and the first step of each sequence; row −1 where there was no room.
    """
    rows = np.full(len(lengths), -1)
    first = np.zeros(len(lengths), dtype=np.int64)
    open_rows: list[tuple[int, int]] = []
    num_rows = 0
    for index in np.argsort(-lengths, kind="stable").tolist():
        length = int(lengths[index])
        at = bisect_left(open_rows, (length, -1))
        if at < len(open_rows):
            room, row = open_rows.pop(at)
        elif num_rows < max_rows:
            room, row = steps, num_rows
            num_rows += 1
        else:
            continue
        rows[index], first[index] = row, steps - room
        insort(open_rows, (room - length, row))
    return rows, first
