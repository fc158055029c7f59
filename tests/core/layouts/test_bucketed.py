"""Buckets keep their bounds, budgets, multiples and padding."""

from typing import Any

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from drystone.core.layouts import Bucketed
from drystone.core.layouts.buckets import distinct_lengths, given_buckets
from drystone.core.plan import Plan
from tests.contract import strategies
from tests.contract.tables import shapes_of

Ints = np.ndarray[Any, np.dtype[np.int64]]


def row_cost(layout: Bucketed, steps: int) -> int:
    return steps + (steps * steps // layout.quadratic_steps if layout.quadratic_steps else 0)


def members(plan: Plan) -> list[Ints]:
    return [plan.lengths[plan.spans(batch).sequence] for batch in range(plan.num_batches)]


@given(strategies.lengths, strategies.bucketed(), strategies.seeds)
def test_every_batch_keeps_its_bounds(lengths: Ints, layout: Bucketed, seed: int) -> None:
    plan = layout.plan(lengths, seed)
    for (rows, steps), inside, cost in zip(shapes_of(plan), members(plan), plan.column("cost"), strict=True):
        assert len(inside) == rows
        assert cost == rows * row_cost(layout, steps)
        assert layout.cells is None or rows * steps <= layout.cells
        assert layout.cost is None or cost <= layout.cost
        assert rows % layout.batch_multiple == 0 or rows < layout.batch_multiple
        assert layout.max_padding is None or 1 - inside.sum() / (rows * steps) <= layout.max_padding + 1e-12
        assert inside.max() == steps if layout.pad_to == "longest" else inside.max() <= steps
        assert not isinstance(layout.batch_size, int) or rows <= layout.batch_size
        if layout.boundaries is not None:
            bucket = np.searchsorted(layout.boundaries, inside, side="left")
            assert (bucket == bucket[0]).all()
            assert not isinstance(layout.batch_size, tuple) or rows <= layout.batch_size[bucket[0]]


@given(strategies.lengths, strategies.bucketed(), strategies.seeds)
def test_a_dropped_remainder_leaves_only_full_batches(lengths: Ints, layout: Bucketed, seed: int) -> None:
    assume(layout.remainder == "drop")
    plan = layout.plan(lengths, seed)
    budget = layout.cells or layout.cost or 1 << 62
    for (rows, steps), inside in zip(shapes_of(plan), members(plan), strict=True):
        more = rows + (layout.batch_multiple if rows >= layout.batch_multiple else 1)
        if isinstance(layout.batch_size, tuple) and layout.boundaries is not None:
            size = layout.batch_size[int(np.searchsorted(layout.boundaries, inside[0], side="left"))]
        else:
            size = layout.batch_size if isinstance(layout.batch_size, int) else 1
        is_capped = layout.batch_size is not None and more > size
        top = row_cost(layout, max(steps, int(lengths.max())))
        assert is_capped or more * top > budget or isinstance(layout.batch_size, tuple)


def test_a_batch_that_the_next_sequence_would_overfill_is_no_remainder() -> None:
    layout = Bucketed(boundaries=(5,), cells=9, order="given", remainder="drop")
    plan = layout.plan([2, 3, 5, 2])
    assert plan.column("sequence").tolist() == [0, 1, 2]
    assert plan.dropped.to_pydict()["sequence"] == [3]


@given(strategies.lengths, st.integers(1, 4), st.integers(1, 5), strategies.seeds)
def test_padding_to_boundaries_gives_few_shapes(lengths: Ints, buckets: int, size: int, seed: int) -> None:
    layout = Bucketed(num_buckets=buckets, batch_size=size, pad_to="boundary")
    shapes = {shape for epoch in range(4) for shape in shapes_of(layout.plan(lengths, seed, epoch))}
    assert len(shapes) <= 2 * buckets
    assert len({steps for _, steps in shapes}) <= buckets


def test_a_budget_is_filled_by_the_actual_longest() -> None:
    lengths = np.random.default_rng(0).lognormal(4, 0.8, 20_000).astype(np.int64) + 1
    plan = Bucketed(num_buckets=10, cells=8_000).plan(lengths)
    assert plan.column("cells").mean() > 0.95 * 8_000
    assert plan.padding_fraction < 0.2


def test_buckets_hold_equal_cost_also_with_a_quadratic_term() -> None:
    lengths = np.random.default_rng(0).lognormal(4, 0.8, 20_000).astype(np.int64) + 1
    layout = Bucketed(num_buckets=5, cost=50_000, quadratic_steps=100, pad_to="boundary")
    plan = layout.plan(lengths)
    bounds = np.unique(plan.column("steps"))
    costs = lengths + lengths * lengths // 100
    shares = np.bincount(np.searchsorted(bounds, lengths), weights=costs) / costs.sum()
    assert len(bounds) == 5
    assert np.abs(shares - 0.2).max() < 0.02


@given(strategies.lengths, st.sets(st.integers(1, 15), min_size=1, max_size=4))
def test_both_ways_to_find_a_bucket_agree(lengths: Ints, boundaries: set[int]) -> None:
    buckets = given_buckets(sorted(boundaries), lengths)
    far = np.append(lengths, 1 << 40)
    assert (buckets.of(lengths) == np.searchsorted(buckets.bounds, lengths)).all()
    wide = given_buckets(sorted(boundaries), far)
    assert (wide.of(far)[:-1] == np.searchsorted(sorted(boundaries), lengths)).all()
    few, counts = distinct_lengths(lengths)
    more, more_counts = distinct_lengths(far)
    assert (few == more[:-1]).all()
    assert (counts == more_counts[:-1]).all()
