"""Bucketed: one sequence a row, batches of sequences of similar length."""

from collections.abc import Sequence
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
    Remainder,
    Shuffle,
    check_choice,
    check_positive,
    freeze,
    longest_of_each,
    no_ints,
)
from drystone.core.lengths import Lengths


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucketed(Layout):
    """One sequence a row; sequences of similar length share a batch.

    A bucket holds the lengths above one boundary, up to and including the next; the first holds all up to
    the first boundary, the last all above the last. Membership of batches is drawn anew each epoch.

    Args:
        boundaries: rising lengths, ≥ 1 each; give these or `num_buckets`.
        num_buckets: buckets to find from the data, so that all hold about as many steps.
        batch_size: sequences a batch; one number, or one a bucket (shortest first). Give this or `cells`.
        cells: the most cells a batch may have, padding included; batches of short sequences get more rows.
        order: "random", or "given": sequences keep their order within a bucket, batches that of their first one.
        remainder: whether each bucket's last, smaller batch is kept or dropped.

    Example:
        >>> Bucketed(boundaries=(10, 20), batch_size=(4, 2, 1)).plan([5, 12, 30, 7, 15, 9, 31]).num_batches
        4
    """

    boundaries: Sequence[int] | None = None
    num_buckets: int | None = None
    batch_size: int | Sequence[int] | None = None
    cells: int | None = None
    order: Order = "random"
    remainder: Remainder = "keep"

    def __post_init__(self) -> None:
        check_choice("Bucketed", "order", self.order, get_args(Order))
        check_choice("Bucketed", "remainder", self.remainder, get_args(Remainder))
        if (self.boundaries is None) == (self.num_buckets is None):
            raise LayoutError("Bucketed: give either boundaries= or num_buckets=.")
        if (self.batch_size is None) == (self.cells is None):
            raise LayoutError("Bucketed: give either batch_size= or cells=.")
        if self.num_buckets is not None:
            check_positive("Bucketed", num_buckets=self.num_buckets)
        if self.cells is not None:
            check_positive("Bucketed", cells=self.cells)
        if self.boundaries is not None:
            self._check_boundaries(self.boundaries)
        self._check_batch_size()
        freeze(self, "boundaries", "num_buckets", "batch_size", "cells")

    def _check_boundaries(self, boundaries: Sequence[int]) -> None:
        for index, boundary in enumerate(boundaries):
            check_positive("Bucketed", **{f"boundaries[{index}]": boundary})
            if index and boundary <= boundaries[index - 1]:
                raise LayoutError(
                    f"Bucketed: boundaries must rise; boundaries[{index}] is {boundary}, after {boundaries[index - 1]}."
                )

    def _check_batch_size(self) -> None:
        if self.batch_size is None or isinstance(self.batch_size, (int, np.integer)):
            check_positive("Bucketed", batch_size=1 if self.batch_size is None else self.batch_size)
            return
        for index, size in enumerate(self.batch_size):
            check_positive("Bucketed", **{f"batch_size[{index}]": size})
        wanted = self.num_buckets if self.boundaries is None else len(self.boundaries) + 1
        if len(self.batch_size) != wanted:
            raise LayoutError(
                f"Bucketed: batch_size has {len(self.batch_size)} numbers for {wanted} buckets; "
                f"give one a bucket (boundaries + 1), or a single number."
            )

    @property
    def longest(self) -> int | None:
        """The budget of cells, if there is one."""
        return self.cells

    def place(self, lengths: Lengths, shuffle: Shuffle) -> Placement:
        """Sorts the sequences into buckets and cuts each into batches."""
        bucket_of = np.searchsorted(self._bounds(lengths), lengths, side="left")
        order = self._ordered(len(lengths), shuffle)
        order = order[np.argsort(bucket_of[order].astype(np.min_scalar_type(int(bucket_of.max()))), kind="stable")]
        counts = np.bincount(bucket_of)
        sizes = self._sizes(lengths[order], counts)
        within = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        size_of = np.repeat(sizes, counts)
        kept = self._kept(within, size_of, np.repeat(counts, counts))
        sequence, row = order[kept], (within % size_of)[kept]
        return self._in_order(lengths, sequence, row, order[~kept], shuffle)

    def _in_order(self, lengths: Lengths, sequence: Ints, row: Ints, dropped: Ints, shuffle: Shuffle) -> Placement:
        starts = np.flatnonzero(row == 0)
        firsts = sequence[starts]
        order = np.argsort(firsts) if self.order == "given" else shuffle(len(starts), streams.BATCHES)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        rows = np.diff(np.append(starts, len(sequence)))
        return Placement(
            batch=np.repeat(place, rows),
            row=row,
            step=np.zeros_like(row),
            sequence=sequence,
            rows=rows[order],
            steps=longest_of_each(lengths[sequence], starts)[order],
            dropped=dropped,
            max_cells=self.cells,
        )

    def _ordered(self, count: int, shuffle: Shuffle) -> Ints:
        return np.arange(count) if self.order == "given" else shuffle(count, streams.SEQUENCES)

    def _kept(self, within: Ints, size_of: Ints, count_of: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        if self.remainder == "keep":
            return np.ones(len(within), dtype=bool)
        return within < count_of - count_of % size_of

    def _bounds(self, lengths: Lengths) -> Ints:
        """The upper bound of each bucket but the last."""
        if self.boundaries is not None:
            return np.asarray(self.boundaries, dtype=np.int64)
        assert self.num_buckets is not None
        ordered = np.sort(lengths)
        steps_up_to = np.cumsum(ordered)
        shares = steps_up_to[-1] * np.arange(1, self.num_buckets) // self.num_buckets
        return ordered[np.searchsorted(steps_up_to, shares)] if len(shares) else no_ints()

    def _sizes(self, ordered: Lengths, counts: Ints) -> Ints:
        """How many rows a batch of each bucket has."""
        if self.cells is None:
            given = np.atleast_1d(np.asarray(self.batch_size, dtype=np.int64))
            return given[: len(counts)] if len(given) > 1 else np.repeat(given, len(counts))
        sizes = np.ones(len(counts), dtype=np.int64)
        filled = np.flatnonzero(counts)
        starts = (np.cumsum(counts) - counts)[filled]
        sizes[filled] = self.cells // longest_of_each(ordered, starts)
        return sizes
