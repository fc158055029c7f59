"""Packing, tapes and cuts in C++ give what they give in Python."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone import native
from drystone.native import numpy_packing, numpy_tapes
from tests.contract import strategies

Ints = np.ndarray[Any, np.dtype[np.int64]]

both = pytest.mark.skipif(not native.is_built, reason="there is no native core to compare with")
gaps = st.integers(0, 3)
many_lengths = st.one_of(strategies.lengths, st.lists(st.integers(1, 5_000), min_size=1, max_size=60).map(np.array))


def carried(count: int, rows: int) -> Ints:
    return np.random.default_rng(count).permutation(rows)[: count // 2]


@both
@given(many_lengths, st.integers(1, 9), st.integers(1, 200), gaps, st.booleans())
def test_fill_grids(lengths: Ints, rows: int, steps: int, gap: int, is_carried: bool) -> None:
    begun = carried(len(lengths), rows) if is_carried else np.zeros(0, np.int64)
    found = native.fill_grids(lengths, rows, steps, gap, begun)
    expected = numpy_packing.fill_grids(lengths, rows, steps, gap, begun)
    for one, other in zip(found, expected, strict=True):
        assert one.tolist() == other.tolist()


@both
@given(many_lengths, st.integers(1, 20), st.integers(0, 9), st.booleans(), gaps, st.integers(1, 8))
def test_pack_groups(lengths: Ints, group: int, rows: int, is_long: bool, gap: int, multiple: int) -> None:
    steps = int(lengths.max()) + rows if is_long else 0
    found, *shape = native.pack_groups(lengths, group, rows, steps, gap, multiple)
    expected, *expected_shape = numpy_packing.pack_groups(lengths, group, rows, steps, gap, multiple)
    for one, other in zip([*found, *shape], [*expected, *expected_shape], strict=True):
        assert one.tolist() == other.tolist()


@both
@given(many_lengths, st.integers(1, 9), st.booleans())
def test_lay_tapes(lengths: Ints, rows: int, is_carried: bool) -> None:
    begun = carried(len(lengths), rows) if is_carried else np.zeros(0, np.int64)
    found = native.lay_tapes(lengths, rows, begun)
    expected = numpy_tapes.lay_tapes(lengths, rows, begun)
    for one, other in zip(found, expected, strict=True):
        assert one.tolist() == other.tolist()


@both
@given(many_lengths, st.integers(1, 4), st.integers(1, 9), st.integers(1, 9_000), st.integers(1, 5))
def test_cut_batches(costs: Ints, buckets: int, most: int, budget: int, multiple: int) -> None:
    counts = np.bincount(np.arange(len(costs)) % buckets, minlength=buckets)
    max_rows = np.full(buckets, most)
    found = native.cut_batches(costs, counts, max_rows, budget, multiple)
    expected = numpy_tapes.cut_batches(costs, counts, max_rows, budget, multiple)
    for one, other in zip(found, expected, strict=True):
        assert one.tolist() == other.tolist()


@both
@given(many_lengths, st.integers(1, 5), st.integers(1, 50), st.integers(0, 2**32 - 1))
def test_cut_runs(lengths: Ints, rows: int, steps: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    row = rng.integers(0, rows, len(lengths))
    start = np.cumsum(lengths + rng.integers(0, 9, len(lengths))) - lengths
    found = native.cut_runs(row, start, lengths, steps)
    expected = numpy_tapes.cut_runs(row, start, lengths, steps)
    for one, other in zip(found, expected, strict=True):
        assert one.tolist() == other.tolist()
