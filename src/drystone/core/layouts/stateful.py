"""Stateful: tapes of whole sequences, cut into batches of equal steps; the state is carried from batch to batch."""

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from drystone import native
from drystone.core import shuffle as streams
from drystone.core.errors import LayoutError
from drystone.core.layouts.aligned import align_runs
from drystone.core.layouts.arguments import Order, Remainder, check_choice, check_positive, freeze
from drystone.core.layouts.base import Layout
from drystone.core.layouts.buckets import Buckets, distinct_lengths
from drystone.core.layouts.epoch import Epoch
from drystone.core.layouts.placement import NO_INTS, Ints, Placement


@dataclass(frozen=True, slots=True, repr=False)
class Stateful(Layout):
    """Each row is a tape of whole sequences end to end, and each batch the next `steps` columns of all tapes.

    A sequence may go on in the next batch, always on the same row, so the state of a row is carried on; it is
    reset where a sequence starts. Nothing is left out: a row that runs dry is invalid from there on.

    With `align`, a row holds one series and a column is one point in time, the same for all rows: the distinct
    values of the field, rising. Where a series has no step at a point in time, the cell is invalid and the state waits.

    Args:
        rows: tapes, ≥ 1; with fewer sequences than rows, as many as there are sequences. With `align`, how many
            series run side by side (all, where it is None); the next ones follow when these have ended.
        steps: columns a batch, ≥ 1: the length of truncated backpropagation.
        order: "random" lays the longest sequences first, so that the tapes end together, with rows and equal
            lengths shuffled each epoch; "given" keeps the order: each goes to the tape that ends first.
        remainder: "drop" leaves out all from the first batch in which a tape runs dry (with `align`: the last
            series, where there are fewer than rows).
        align: the field that says when each step was, such as "time"; it must rise within each sequence.

    Example:
        >>> plan = Stateful(rows=2, steps=4, order="given").plan([6, 3, 3])
        >>> plan.table.to_pydict()["offset"], plan.num_batches
        ([0, 0, 0, 4, 1], 2)
    """

    rows: int | None
    steps: int
    order: Order = "random"
    remainder: Remainder = "keep"
    align: str | None = None

    def __post_init__(self) -> None:
        check_positive("Stateful", steps=self.steps)
        if self.rows is not None or self.align is None:
            check_positive("Stateful", rows=self.rows)
        check_choice("Stateful", "order", self.order, get_args(Order))
        check_choice("Stateful", "remainder", self.remainder, get_args(Remainder))
        freeze(self, "rows", "steps")

    @property
    def longest(self) -> int | None:
        """No limit: a sequence goes on for as many batches as it needs."""
        return None

    @property
    def carries(self) -> bool:
        """A sequence may go on in the next batch."""
        return True

    @property
    def time_field(self) -> str | None:
        """The field that `align` names."""
        return self.align

    def place(self, epoch: Epoch) -> Placement:
        """Lays the tapes, then cuts them at every multiple of `steps`."""
        return self._tapes(epoch) if epoch.times is None else self._aligned(epoch, epoch.times)

    def _tapes(self, epoch: Epoch) -> Placement:
        assert self.rows is not None
        num_carried = len(epoch.carried)
        if num_carried and epoch.carried.max() >= self.rows:
            raise LayoutError(f"Stateful: carried names row {epoch.carried.max()}; there are {self.rows}.")
        num_rows = self.rows if num_carried else min(self.rows, len(epoch.lengths))
        order = np.arange(len(epoch.lengths))
        names = np.arange(num_rows)
        if self.order == "random":
            order[num_carried:] = num_carried + self._longest_first(epoch, num_carried)
            names = names if num_carried else epoch.shuffle(num_rows, streams.ROWS)
        lengths = epoch.lengths[order]
        tape, start = native.lay_tapes(lengths, num_rows, epoch.carried)
        placed = self._cut(order, np.zeros_like(order), lengths, names[tape], start, num_rows)
        if self.remainder == "keep":
            return placed
        ends = np.zeros(num_rows, np.int64)
        np.maximum.at(ends, tape, start + lengths)
        return placed.up_to(int(ends.min()) // self.steps)

    def _longest_first(self, epoch: Epoch, num_carried: int) -> Ints:
        behind = epoch.lengths[num_carried:]
        if not len(behind):
            return NO_INTS
        distinct, _ = distinct_lengths(behind)
        rank = Buckets(distinct).of(behind)
        return epoch.shuffle(len(behind), streams.SEQUENCES, len(distinct) - 1 - rank)

    def _aligned(self, epoch: Epoch, times: npt.NDArray[Any]) -> Placement:
        if len(epoch.carried):
            raise LayoutError("Stateful: aligned series cannot go on from an earlier plan; plan them all at once.")
        count = len(epoch.lengths)
        num_rows = min(self.rows or count, count)
        place = np.empty(count, np.int64)
        place[epoch.order(self.order, streams.SEQUENCES)] = np.arange(count)
        sequence, offset, length, column, num_columns = align_runs(epoch.lengths, times)
        batches = -(-num_columns // self.steps)
        start = column + place[sequence] // num_rows * batches * self.steps
        rising = np.argsort(start, kind="stable")
        sequence, offset, length, start = sequence[rising], offset[rising], length[rising], start[rising]
        placed = self._cut(sequence, offset, length, place[sequence] % num_rows, start, num_rows)
        return placed if self.remainder == "keep" else placed.up_to(count // num_rows * batches)

    def _cut(self, sequence: Ints, offset: Ints, length: Ints, row: Ints, start: Ints, num_rows: int) -> Placement:
        """Cuts runs on endless rows at the batches' borders."""
        batch, row, step, run, within, length = native.cut_runs(row, start, length, self.steps)
        num_batches = int(batch[-1]) + 1
        return Placement(
            batch=batch,
            row=row,
            step=step,
            sequence=sequence[run],
            offset=offset[run] + within,
            length=length,
            rows=np.full(num_batches, num_rows),
            steps=np.full(num_batches, self.steps),
        )
