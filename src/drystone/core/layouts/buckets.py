"""Buckets of similar lengths: where their bounds lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from drystone.core.layouts.placement import Ints
from drystone.core.lengths import Lengths


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """Ranges of lengths, shortest first.

    Args:
        bounds: [buckets] the longest length that each may hold; rising, but empty buckets may repeat a bound.
        parent: [buckets] the bucket that each was split from; itself by default.
    """

    bounds: Ints
    parent: Ints | None = None

    def of(self, lengths: Lengths) -> np.ndarray[tuple[int], np.dtype[np.integer]]:
        """Returns the bucket of each length."""
        small = np.min_scalar_type(len(self.bounds))
        if self.bounds[-1] > len(lengths) + (1 << 16):
            return np.searchsorted(self.bounds, lengths).astype(small)
        table = np.searchsorted(self.bounds, np.arange(int(self.bounds[-1]) + 1)).astype(small)
        return table[lengths]  # many lengths: looking each up is several times faster than searching


def given_buckets(boundaries: Sequence[int], lengths: Lengths) -> Buckets:
    """Returns the buckets between these boundaries, and the one above the last."""
    bounds = np.append(np.asarray(boundaries, dtype=np.int64), int(lengths.max()))
    bounds[-1] = bounds.max()
    return Buckets(bounds)


def equal_buckets(num_buckets: int, costs: Ints, counts: Ints, distinct: Lengths) -> Buckets:
    """Returns buckets that hold about the same total cost; at most one for each distinct length.

    Args:
        num_buckets: how many, ≥ 1.
        costs: [distinct lengths] the cost of one row of each.
        counts: [distinct lengths] how many sequences have each.
        distinct: the distinct lengths, rising.
    """
    if num_buckets >= len(distinct):
        return Buckets(distinct)
    total = np.cumsum(costs * counts)
    shares = int(total[-1]) * np.arange(1, num_buckets, dtype=object) // num_buckets
    inner = distinct[np.searchsorted(total, shares.astype(np.int64))]
    return Buckets(np.append(inner, distinct[-1]))


def narrow(buckets: Buckets, max_padding: float, distinct: Lengths, *, to_bound: bool) -> Buckets:
    """Splits buckets until no batch can have more padding, whatever sequences of a bucket it holds.

    Args:
        buckets: to split.
        max_padding: the most that may be padding, 0 … 1.
        distinct: the distinct lengths, rising.
        to_bound: whether rows are padded to the bound of their bucket, rather than to their longest sequence.
    """
    bounds: list[int] = []
    parents: list[int] = []
    filled = 1 - Fraction(max_padding)
    start = 0
    stops = np.searchsorted(distinct, buckets.bounds, side="right").tolist()
    for parent, (bound, stop) in enumerate(zip(buckets.bounds.tolist(), stops, strict=True)):
        split: list[int] = []
        top: int = bound if to_bound or stop == start else int(distinct[stop - 1])
        left = stop
        while left > start:
            split.append(top)
            shortest: int = -(-filled.numerator * top // filled.denominator)
            left = int(np.searchsorted(distinct, shortest))
            top = int(distinct[left - 1])
        split[:1] = [bound]
        bounds += split[::-1]
        parents += [parent] * len(split)
        start = stop
    return Buckets(np.array(bounds, dtype=np.int64), np.array(parents, dtype=np.int64))


def distinct_lengths(lengths: Lengths) -> tuple[Lengths, Ints]:
    """Returns the distinct lengths, rising, and how many sequences have each."""
    if int(lengths.max()) > len(lengths) + (1 << 16):
        return np.unique(lengths, return_counts=True)
    counts = np.bincount(lengths)
    distinct = np.flatnonzero(counts)
    return distinct, counts[distinct]
