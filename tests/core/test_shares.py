"""Shares of a plan: together they hold every span once, in equal shapes, with about equal steps."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone import Bucketed, Layout, Packed, Padded, PlanError, Sequences, Stateful, collate
from drystone.core.plan import Plan
from drystone.core.shares import deal, ranks_of_spans, steps_of_ranks, waiting_fraction
from tests.contract import strategies
from tests.contract.oracle import broken_rule
from tests.contract.shares import broken_share
from tests.contract.tables import dropped_of, shapes_of, spans_of

Ints = np.ndarray[Any, np.dtype[np.int64]]

LOGNORMAL = np.random.default_rng(0).lognormal(4, 0.8, 20_000).astype(np.int64) + 1

planned = st.builds(
    lambda lengths, layout, seed: layout.plan(lengths, seed), strategies.lengths, strategies.layouts, strategies.seeds
)
plans = st.one_of(planned, strategies.carried_plans())


def shares_of(plan: Plan, num_ranks: int) -> list[Plan]:
    return [plan.shard(rank, num_ranks) for rank in range(num_ranks)]


@given(plans, st.integers(1, 9))
def test_shares_hold_every_span_once(plan: Plan, num_ranks: int) -> None:
    shares = shares_of(plan, num_ranks)
    assert broken_share(plan, shares) == ""
    for rank, share in enumerate(shares):
        share.check()
        assert (share.rank, share.num_ranks, share.num_batches) == (rank, num_ranks, plan.num_batches)
        assert share.dropped.equals(plan.dropped)
        absent = set(range(len(plan.lengths))) - set(share.column("sequence").tolist())
        dropped = dropped_of(plan)
        laid = {sequence: offset for sequence, offset, _ in dropped}
        elsewhere = [(sequence, 0, laid.get(sequence, int(plan.lengths[sequence]))) for sequence in absent]
        assert broken_rule(plan.lengths, spans_of(share), shapes_of(share), [*elsewhere, *dropped]) == ""


@given(plans, st.integers(1, 9))
def test_no_rank_has_more_than_its_part_of_the_rows(plan: Plan, num_ranks: int) -> None:
    is_carried = (plan.column("offset") > 0).any()
    rows = plan.column("rows")
    share = plan.shard(0, num_ranks)
    part = -(-(rows.max(keepdims=True) if is_carried else rows) // num_ranks)
    assert (share.column("rows") <= part).all()
    assert (share.column("rows") <= rows).all()
    assert (share.column("steps") == plan.column("steps")).all()
    if not is_carried:
        assert (share.column("rows") == part).all()


@given(plans, st.integers(1, 9))
def test_spans_are_told_their_ranks(plan: Plan, num_ranks: int) -> None:
    rank_of = ranks_of_spans(plan, num_ranks)
    for rank, share in enumerate(shares_of(plan, num_ranks)):
        mine = plan.table.filter(pa.array(rank_of == rank))
        for name in ("batch", "sequence", "offset", "length"):
            assert share.table[name].to_pylist() == mine[name].to_pylist()


@given(plans, st.integers(1, 9))
def test_ranks_wait_for_the_fullest_of_each_batch(plan: Plan, num_ranks: int) -> None:
    steps = np.array(
        [
            np.bincount(share.column("batch"), share.column("length"), minlength=plan.num_batches)
            for share in shares_of(plan, num_ranks)
        ]
    ).T
    assert (steps_of_ranks(plan, num_ranks) == steps).all()
    waited = (steps.max(axis=1, keepdims=True) - steps).sum()
    time = steps.max(axis=1).sum() * num_ranks
    assert waiting_fraction(plan, num_ranks) == pytest.approx(waited / max(time, 1))


@pytest.mark.parametrize("num_ranks", [3, 8, 64])
def test_packed_rows_that_are_a_multiple_of_the_ranks_share_out_evenly(num_ranks: int) -> None:
    lengths = np.resize(LOGNORMAL.clip(max=512), 32 * num_ranks * 20)
    plan = Packed(sequences=32 * num_ranks, row_multiple=num_ranks).plan(lengths)
    steps = steps_of_ranks(plan, num_ranks)
    assert (steps.max(axis=1) / steps.mean(axis=1)).mean() < 1.01
    assert plan.padding_fraction < 0.01


@given(plans)
def test_the_share_of_one_rank_is_the_whole(plan: Plan) -> None:
    share = plan.shard(0, 1)
    assert share.table.equals(plan.table)
    assert share.batches.equals(plan.batches)


def test_more_ranks_than_rows_leave_some_with_invalid_rows() -> None:
    plan = Padded(2, order="given").plan([3, 1, 2])
    shares = shares_of(plan, 4)
    assert [share.num_sequences for share in shares] == [2, 1, 0, 0]
    for share in shares:
        assert shapes_of(share) == [(1, 3), (1, 2)]
    seqs = Sequences.from_arrays(
        per_step={"x": [[1.0, 2.0, 3.0], [4.0], [5.0, 6.0]], "w": [["a"] * 3, ["b"], ["c"] * 2]},
        per_sequence={"y": [1, 2, 3], "name": ["a", "b", "c"]},
    )
    empty = collate(seqs, shares[3], 0)
    assert not empty.valid.any()
    assert empty["x"].tolist() == [[0.0, 0.0, 0.0]]
    assert empty["w"].tolist() == [["", "", ""]]
    assert (len(empty["y"]), len(empty["name"])) == (0, 0)


def test_rows_of_unequal_batches_stay_where_they_are_when_state_is_carried() -> None:
    spans = {"batch": [0, 0, 0, 1, 2], "row": [0, 1, 2, 0, 2], "step": [0] * 5, "sequence": [0, 1, 2, 0, 2]}
    spans |= {"offset": [0, 0, 0, 2, 2], "length": [2, 2, 2, 2, 2]}
    batches = {"rows": [3, 1, 3], "steps": [2] * 3, "update": [0, 1, 2], "cells": [6, 2, 6], "cost": [6, 2, 6]}
    plan = Plan(
        table=pa.table(spans),
        batches=pa.table(batches),
        dropped=strategies.nothing_dropped(),
        lengths=np.array([4, 2, 4]),
    )
    plan.check()
    shares = shares_of(plan, 2)
    assert broken_share(plan, shares) == ""
    assert [share.column("rows").tolist() for share in shares] == [[2, 1, 2]] * 2
    assert [share.column("row").tolist() for share in shares] == [[0, 1, 0], [0, 0]]


@given(
    st.lists(st.lists(st.integers(0, 50), max_size=12), max_size=5),
    st.integers(1, 5),
)
def test_rows_are_dealt_longest_first_to_the_rank_with_the_fewest_steps(groups: list[list[int]], ranks: int) -> None:
    expected = [rank for group in groups for rank in _dealt(group, ranks)]
    steps = np.array([step for group in groups for step in group], dtype=np.int64)
    assert deal(steps, np.array([len(group) for group in groups], dtype=np.int64), ranks).tolist() == expected


def _dealt(steps: list[int], num_ranks: int) -> list[int]:
    """Longest processing time first, with a bound on the rows of a rank."""
    rank_of, load, count = [0] * len(steps), [0] * num_ranks, [0] * num_ranks
    for position, row in enumerate(sorted(range(len(steps)), key=lambda row: (-steps[row], row))):
        free = [rank for rank in range(num_ranks) if count[rank] < -(-len(steps) // num_ranks)]
        poorest = position if position < num_ranks else min(free, key=lambda rank: (load[rank], rank))
        rank_of[row] = poorest
        load[poorest] += steps[row]
        count[poorest] += 1
    return rank_of


@pytest.mark.parametrize(
    ("layout", "bound"),
    [
        (Padded(64), 1.02),
        (Bucketed(num_buckets=8, batch_size=64), 1.02),
        (Packed(rows=32, steps=2048), 1.01),
        (Stateful(rows=64, steps=128), 1.001),
    ],
)
def test_ranks_have_about_equal_steps(layout: Layout, bound: float) -> None:
    plan = layout.plan(LOGNORMAL)
    num_ranks = 4
    steps = np.zeros((plan.num_batches, num_ranks))
    for rank, share in enumerate(shares_of(plan, num_ranks)):
        np.add.at(steps[:, rank], share.column("batch"), share.column("length"))
    if isinstance(layout, Stateful):
        steps = steps.sum(axis=0, keepdims=True)
    assert steps.max(axis=1).sum() / steps.mean(axis=1).sum() < bound


def test_costs_and_cells_are_those_of_the_share() -> None:
    plan = Padded(3, order="given").plan([5, 2, 4])
    share = plan.shard(1, 2)
    assert share.batches.to_pydict() == {"rows": [2], "steps": [5], "update": [0], "cells": [10], "cost": [10]}
    assert repr(share) == "Plan(rank 1 of 2: 1 batches, 2 sequences, 6 steps, 10 cells, 40.0% padding)"
    assert str(share.summary()).startswith("rank       1 of 2\n")


@pytest.mark.parametrize(
    ("rank", "num_ranks", "words"),
    [
        (2, 2, "got rank 2 of 2"),
        (-1, 2, "got rank -1 of 2"),
        (0, 0, "got rank 0 of 0"),
        (0.5, 2, "rank must be a whole number; got 0.5"),
        (0, True, "num_ranks must be a whole number; got True"),
    ],
)
def test_ranks_that_cannot_be_are_refused(rank: Any, num_ranks: Any, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        Padded(2).plan([3, 1]).shard(rank, num_ranks)


def test_a_share_is_not_shared_again() -> None:
    with pytest.raises(PlanError, match="share of rank 1 of 2; shard the whole plan"):
        Padded(2).plan([3, 1]).shard(1, 2).shard(0, 2)
