"""The shapes that the batches of an epoch are widened to, so that there are few of them and kernels can run them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from drystone.core.errors import DataError
from drystone.core.grid import Bools, Ints
from drystone.core.plan import Plan

FINENESS = 4  # so many numbers of ends a row from each power of two to the next


@dataclass(frozen=True, kw_only=True, eq=False)
class Shapes:
    """How many rows and ends each batch gets; what is added holds nothing and weighs nothing.

    Batches of equal steps get equal rows, so that the last one brings no new shape. All batches of an epoch get the
    same number of ends a row: Keras weighs a batch's loss by its rows, so its mean over an epoch is one over sequences.

    Args:
        plan: of the epoch.
        rows: [batches] the rows of each batch.
        ends_a_row: at least as many as sequences end, on average, on the rows of any batch.
    """

    plan: Plan
    rows: Ints
    ends_a_row: int

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Finds the shapes of a plan."""
        rows, steps = plan.column("rows"), plan.column("steps")
        distinct, which = np.unique(steps, return_inverse=True)
        most = np.zeros(len(distinct), np.int64)
        np.maximum.at(most, which, rows)
        wide = most[which]
        ends = np.bincount(plan.column("batch")[_is_last(plan)], minlength=plan.num_batches)
        return cls(plan=plan, rows=wide, ends_a_row=_rounded_up(int(np.max(-(-ends // wide), initial=1))))

    def of_batch(self, number: int) -> tuple[int, int]:
        """Returns the rows and the ends of a batch."""
        rows = int(self.rows[number])
        return rows, rows * self.ends_a_row

    def idle_rows(self, number: int, valid: Bools) -> Ints:
        """Returns the rows of a batch that hold no step, but for those where a sequence waits to go on.

        Kernels that forbid empty rows may run one step there.

        Args:
            number: of the batch.
            valid: [rows, steps], with the rows that were added.
        """
        empty = np.flatnonzero(~valid.any(axis=1))
        if not len(empty):
            return empty
        keys, goes_on = self._spans_by_row
        before = np.searchsorted(keys, empty * self.plan.num_batches + number) - 1
        same_row = (before >= 0) & (keys[before] // self.plan.num_batches == empty)
        return empty[~(same_row & goes_on[before])]

    @cached_property
    def _spans_by_row(self) -> tuple[Ints, Bools]:
        batch, row = self.plan.column("batch"), self.plan.column("row")
        order = np.lexsort((self.plan.column("step"), batch, row))
        return (row * self.plan.num_batches + batch)[order], ~_is_last(self.plan)[order]

    @property
    def is_one_a_row(self) -> bool:
        """Whether each row of each batch holds one whole sequence."""
        place = self.plan.column("batch") * (int(self.rows.max(initial=0)) + 1) + self.plan.column("row")
        is_whole = (self.plan.column("offset") == 0) & _is_last(self.plan)
        return bool(is_whole.all()) and len(np.unique(place)) == len(place)

    def check_borders(self, *, carries: bool) -> None:
        """Raises DataError where a sequence starts at a place at which a plain layer would not zero its state.

        Args:
            carries: whether the layout goes on with sequences in the next batch.
        """
        batch, step = self.plan.column("batch"), self.plan.column("step")
        inside = (self.plan.column("offset") == 0) & ((step > 0) | ((batch > 0) & carries))
        if inside.any():
            at = int(np.argmax(inside))
            raise DataError(
                f"batch {batch[at]} starts a sequence on row {self.plan.column('row')[at]} at step {step[at]}, where no "
                f'plain layer zeroes its state: the sequences before would leak into it. Add "reset" to x (and '
                f'"valid"), and pass it on as drystone.keras.LSTM(...)(x, reset=reset, valid=valid); or choose '
                f"Padded or Bucketed, which give each sequence a row of its own."
            )


def _is_last(plan: Plan) -> Bools:
    return plan.column("offset") + plan.column("length") == plan.lengths[plan.column("sequence")]


def _rounded_up(number: int) -> int:
    unit = max(1, (1 << number.bit_length()) // (2 * FINENESS))
    return -(-number // unit) * unit
