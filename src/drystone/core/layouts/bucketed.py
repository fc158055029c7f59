"""Bucketed: one sequence a row, batches of sequences of similar length."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from drystone import native
from drystone.core import shuffle as streams
from drystone.core.errors import LayoutError
from drystone.core.layouts.arguments import (
    LARGEST,
    Order,
    Remainder,
    check_choice,
    check_fraction,
    check_positive,
    freeze,
)
from drystone.core.layouts.base import Layout
from drystone.core.layouts.buckets import Buckets, distinct_lengths, equal_buckets, given_buckets, narrow
from drystone.core.layouts.epoch import Epoch
from drystone.core.layouts.placement import Ints, Placement
from drystone.core.lengths import Lengths, offsets_of, take_runs

PadTo = Literal["longest", "boundary"]
NO_BUDGET = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Bucketed(Layout):
    """One sequence a row; sequences of similar length share a batch.

    A bucket holds the lengths above one boundary, up to and including the next; the first holds all up to
    the first boundary, the last all above the last. Membership of batches is drawn anew each epoch.

    Args:
        boundaries: rising lengths, ≥ 1 each; give these or `num_buckets`.
        num_buckets: buckets to find from the data, so that all hold about the same total cost; where there are
            no more distinct lengths than that, each has a bucket.
        batch_size: the most sequences a batch; one number, or one a bucket (shortest first).
        cells: the most cells a batch may have, padding included; batches of short sequences get more rows.
        cost: in place of `cells`, the most a batch may cost: rows × (steps + steps² ∕ quadratic_steps).
        quadratic_steps: the length at which the second term of the cost equals the first.
        batch_multiple: a batch has a multiple of so many rows, or fewer.
        max_padding: the largest fraction of a batch that may be padding, 0 … 1; buckets are split until that holds.
        pad_to: "longest": a batch is as long as its longest sequence; "boundary": as the longest that its bucket
            may hold, so that there are few distinct shapes (at most two or three a bucket).
        order: "random", or "given": sequences keep their order within a bucket, batches that of their first one.
        remainder: whether each bucket's last batch is kept or dropped where more rows would fit.

    Example:
        >>> Bucketed(boundaries=(10, 20), batch_size=(4, 2, 1)).plan([5, 12, 30, 7, 15, 9, 31]).num_batches
        4
    """

    boundaries: Sequence[int] | None = None
    num_buckets: int | None = None
    batch_size: int | Sequence[int] | None = None
    cells: int | None = None
    cost: int | None = None
    quadratic_steps: int | None = None
    batch_multiple: int = 1
    max_padding: float | None = None
    pad_to: PadTo = "longest"
    order: Order = "random"
    remainder: Remainder = "keep"

    def __post_init__(self) -> None:
        check_choice("Bucketed", "order", self.order, get_args(Order))
        check_choice("Bucketed", "remainder", self.remainder, get_args(Remainder))
        check_choice("Bucketed", "pad_to", self.pad_to, get_args(PadTo))
        names = ("num_buckets", "cells", "cost", "quadratic_steps", "batch_multiple")
        for name, number in ((name, getattr(self, name)) for name in names):
            if number is not None:
                most = NO_BUDGET if name in ("cells", "cost") else LARGEST
                check_positive("Bucketed", most=most, **{name: number})
        freeze(self, *names, "boundaries", "batch_size")
        if (self.boundaries is None) == (self.num_buckets is None):
            raise LayoutError("Bucketed: give either boundaries= or num_buckets=.")
        if self.batch_size is None and self.cells is None and self.cost is None:
            raise LayoutError("Bucketed: give batch_size=, cells= or cost=.")
        if self.cells is not None and self.cost is not None:
            raise LayoutError("Bucketed: give either cells= or cost=.")
        if (self.cost is None) != (self.quadratic_steps is None):
            raise LayoutError("Bucketed: cost= and quadratic_steps= go together; without them, use cells=.")
        if self.max_padding is not None:
            object.__setattr__(self, "max_padding", check_fraction("Bucketed", "max_padding", self.max_padding))
        self._check_batch_size()
        self._check_boundaries()

    def _check_boundaries(self) -> None:
        if isinstance(self.boundaries, int):
            raise LayoutError(f"Bucketed: boundaries must be a list, such as (10, 20); got {self.boundaries}.")
        boundaries = self.boundaries or ()
        for index, boundary in enumerate(boundaries):
            if index and boundary <= boundaries[index - 1]:
                raise LayoutError(
                    f"Bucketed: boundaries must rise; boundaries[{index}] is {boundary}, after {boundaries[index - 1]}."
                )
            if self.pad_to == "boundary" and self._row_cost(boundary) > self._budget:
                raise LayoutError(
                    f"Bucketed: a row padded to boundaries[{index}], {boundary}, costs {self._row_cost(boundary)}; "
                    f"the budget is {self._budget}."
                )

    def _check_batch_size(self) -> None:
        if self.batch_size is None:
            return
        sizes = (self.batch_size,) if isinstance(self.batch_size, int) else self.batch_size
        if sizes and self.batch_multiple > max(sizes):
            raise LayoutError(
                f"Bucketed: batch_multiple is {self.batch_multiple}, and batch_size {self.batch_size}: no batch could "
                f"have so many rows. Give a smaller batch_multiple, or a larger batch_size."
            )
        if isinstance(self.batch_size, int):
            check_positive("Bucketed", batch_size=self.batch_size)
            return
        wanted = self.num_buckets if self.boundaries is None else len(self.boundaries) + 1
        if len(self.batch_size) != wanted:
            raise LayoutError(
                f"Bucketed: batch_size has {len(self.batch_size)} numbers for {wanted} buckets; "
                f"give one a bucket (boundaries + 1), or a single number."
            )

    @property
    def longest(self) -> int | None:
        """The longest sequence whose row alone keeps to the budget, if there is one."""
        if self._budget == NO_BUDGET:
            return None
        return bisect_right(range(1, self._budget + 1), self._budget, key=self._row_cost)

    @property
    def _budget(self) -> int:
        return self.cells or self.cost or NO_BUDGET

    def _row_cost(self, steps: int) -> int:
        return steps + (steps * steps // self.quadratic_steps if self.quadratic_steps else 0)

    def _row_costs(self, steps: Ints) -> Ints:
        return steps + steps * steps // self.quadratic_steps if self.quadratic_steps else steps

    def place(self, epoch: Epoch) -> Placement:
        """Sorts the sequences into buckets and cuts each into batches."""
        self._check_costs(epoch.lengths)
        buckets = self._buckets(epoch.lengths)
        bucket_of = buckets.of(epoch.lengths)
        counts = np.bincount(bucket_of, minlength=len(buckets.bounds))
        if self.order == "random":
            order = epoch.shuffle(len(bucket_of), streams.SEQUENCES, bucket_of)
        else:
            order = np.argsort(bucket_of, kind="stable")
        del bucket_of
        lengths = epoch.lengths[order]
        steps = lengths if self.pad_to == "longest" else np.repeat(buckets.bounds, counts)
        rows, full = native.cut_batches(
            self._row_costs(steps), counts, self._most_rows(buckets), self._budget, self.batch_multiple
        )
        starts = offsets_of(rows)[:-1]
        kept = np.flatnonzero(full) if self.remainder == "drop" else np.arange(len(rows))
        if self.order == "given":
            kept = kept[np.argsort(order[starts[kept]])]
        else:
            kept = kept[epoch.shuffle(len(kept), streams.BATCHES)]
        left = np.delete(np.arange(len(rows)), kept)
        dropped = take_runs(order, starts[left], rows[left])
        padded = {} if self.pad_to == "longest" else {"steps": steps[starts[kept]]}
        sequence = take_runs(order, starts[kept], rows[kept])
        lengths = take_runs(lengths, starts[kept], rows[kept])
        del order, steps
        placed = Placement.one_a_row(
            sequence, lengths, rows[kept], dropped=dropped, dropped_from=np.zeros_like(dropped), **padded
        )
        return replace(placed, cost=placed.rows * self._row_costs(placed.steps), max_cells=self.cells)

    def _check_costs(self, lengths: Lengths) -> None:
        longest = max(int(lengths.max()), *(self.boundaries or ())) if self.boundaries else int(lengths.max())
        if self.quadratic_steps and max(longest**2, self._row_cost(longest) * len(lengths)) > NO_BUDGET:
            raise LayoutError(
                f"Bucketed: the costs of {len(lengths)} sequences of up to {longest} steps leave 64 bits. "
                f"Cut the sequences, or pass a larger quadratic_steps="
            )

    def _buckets(self, lengths: Lengths) -> Buckets:
        distinct, counts = distinct_lengths(lengths)
        if self.boundaries is not None:
            buckets = given_buckets(self.boundaries, lengths)
        else:
            assert self.num_buckets is not None
            buckets = equal_buckets(self.num_buckets, self._row_costs(distinct), counts, distinct)
        if self.max_padding is None:
            return buckets
        return narrow(buckets, self.max_padding, distinct, to_bound=self.pad_to == "boundary")

    def _most_rows(self, buckets: Buckets) -> Ints:
        """The most rows that a batch of each bucket may have, whatever it costs."""
        sizes = np.atleast_1d(np.asarray(self.batch_size or NO_BUDGET, dtype=np.int64))
        if len(sizes) == 1:
            return np.repeat(sizes, len(buckets.bounds))
        return sizes[: len(buckets.bounds)] if buckets.parent is None else sizes[buckets.parent]
