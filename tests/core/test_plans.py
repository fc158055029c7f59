"""Every layout keeps the contract, and `Plan.check` and the oracle agree on what that means."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drystone.core.errors import DataError, LayoutError, PlanError
from drystone.core.layouts import Bucketed, Layout, Packed, Padded, Stateful
from drystone.core.plan import Plan
from tests.contract import strategies
from tests.contract.oracle import broken_rule
from tests.contract.tables import dropped_of, shapes_of, spans_of

Ints = np.ndarray[Any, np.dtype[np.int64]]


@given(strategies.lengths, strategies.layouts, strategies.seeds, st.integers(0, 5))
def test_every_plan_keeps_the_contract(lengths: Ints, layout: Layout, seed: int, epoch: int) -> None:
    plan = layout.plan(lengths, seed, epoch)
    assert broken_rule(lengths, spans_of(plan), shapes_of(plan), dropped_of(plan)) == ""
    plan.check()
    assert plan.num_cells == sum(rows * steps for rows, steps in shapes_of(plan))
    assert plan.num_steps + sum(length for _, _, length in dropped_of(plan)) == lengths.sum()
    assert 0.0 <= plan.padding_fraction < 1.0
    assert all(rows >= 1 and steps >= 1 for rows, steps in shapes_of(plan))


@given(strategies.lengths, strategies.layouts, strategies.seeds)
def test_the_same_arguments_give_the_same_tables(lengths: Ints, layout: Layout, seed: int) -> None:
    first, again = layout.plan(lengths, seed, 3), layout.plan(lengths.tolist(), seed, 3)
    for name in ("table", "batches", "dropped"):
        assert getattr(first, name).equals(getattr(again, name))


def test_a_plan_does_not_change_with_the_users_array() -> None:
    lengths = np.array([3, 1, 2])
    plan = Padded(2).plan(lengths)
    lengths[:] = 9
    plan.check()
    with pytest.raises(ValueError, match="read-only"):
        plan.lengths[0] = 9


def test_plans_are_the_same_on_every_machine_and_version() -> None:
    lengths = np.array([5, 3, 8, 1, 9, 2, 2, 7])
    assert Padded(3).plan(lengths, seed=7, epoch=2).column("sequence").tolist() == [6, 7, 4, 0, 1, 5, 3, 2]
    packed = Packed(rows=2, steps=10).plan(lengths, seed=7, epoch=2)
    assert packed.column("sequence").tolist() == [4, 7, 6, 2, 3, 0, 1, 5]
    bucketed = Bucketed(boundaries=(3, 7), batch_size=2)
    assert bucketed.plan(lengths, seed=2**64 - 1, epoch=0).column("sequence").tolist() == [0, 7, 1, 5, 4, 2, 6, 3]


def test_epochs_and_seeds_give_other_orders_and_other_batch_mates() -> None:
    lengths = np.arange(1, 101)
    for layout in (Padded(10), Packed(sequences=10), Bucketed(num_buckets=3, batch_size=10), Stateful(16, 20)):
        plans = [layout.plan(lengths, seed, epoch) for seed in range(3) for epoch in range(3)]
        orders = {tuple(plan.column("sequence").tolist()) for plan in plans}
        assert len(orders) == 9


def test_random_orders_are_uniform() -> None:
    counts = np.zeros((4, 4))
    for seed in range(2000):
        counts[np.arange(4), Padded(4).plan([1, 1, 1, 1], seed).column("sequence")] += 1
    assert np.abs(counts / 2000 - 0.25).max() < 0.05


def test_buckets_found_from_the_data_hold_about_equal_steps() -> None:
    lengths = np.random.default_rng(0).lognormal(4, 0.8, 20_000).astype(np.int64) + 1
    plan = Bucketed(num_buckets=5, batch_size=20_000).plan(lengths)
    steps = np.bincount(plan.column("batch"), weights=plan.column("length"))
    assert len(steps) == 5
    largest_length = (np.bincount(lengths) * np.arange(lengths.max() + 1)).max()  # a length is never cut in two
    assert np.abs(steps - lengths.sum() / 5).max() <= largest_length


def test_packing_leaves_little_padding_on_long_tailed_lengths() -> None:
    lengths = np.minimum(np.random.default_rng(0).lognormal(4, 0.8, 20_000).astype(np.int64) + 1, 512)
    assert Packed(rows=32, steps=512).plan(lengths).padding_fraction < 0.015
    assert Packed(sequences=64).plan(lengths).padding_fraction < 0.10


def test_sorted_and_given_orders() -> None:
    lengths = [4, 1, 3, 2]
    assert Padded(2, order="sorted").plan(lengths).column("length").tolist() == [1, 2, 3, 4]
    assert Padded(2, order="given").plan(lengths).column("sequence").tolist() == [0, 1, 2, 3]
    given_order = Bucketed(boundaries=(2,), batch_size=2, order="given").plan(lengths)
    assert given_order.column("sequence").tolist() == [0, 2, 1, 3]


def test_what_is_dropped_is_counted() -> None:
    plan = Padded(3, order="given", remainder="drop").plan([2, 2, 2, 5])
    assert plan.dropped.to_pylist() == [{"sequence": 3, "offset": 0, "length": 5, "reason": "remainder"}]
    assert "5 steps of 1 sequences: remainder" in str(plan.summary())


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ([3, 0, 2], r"lengths\[1\] is 0"),
        ([3, -4], r"lengths\[1\] is -4"),
        ([3.0, float("nan")], r"lengths\[1\] is nan"),
        ([3.0, 2.5], r"lengths\[1\] is 2.5"),
        ([], "empty"),
        (["3"], "dtype"),
        ([[3]], r"shape \(1, 1\)"),
        ([[3], [1, 2]], "one-dimensional"),
        ([3.0, 1e300], r"lengths\[1\] is 1e\+300; of 2 sequences none may have more than 2305843009213693952"),
        ([2**63], r"lengths\[0\] is 9223372036854775808"),
        ([1, 2**62], r"lengths\[1\] is 4611686018427387904"),
        ([True, False], "dtype bool"),
    ],
)
def test_bad_lengths_are_named(lengths: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Padded(2).plan(lengths)


@pytest.mark.parametrize(
    "layout", [Bucketed(num_buckets=2, cells=8), Packed(rows=2, steps=8), Packed(sequences=3, steps=8)]
)
def test_a_sequence_too_long_for_the_layout_is_named(layout: Layout) -> None:
    with pytest.raises(LayoutError, match=r"lengths\[2\] is 9.*up to 8 steps"):
        layout.plan([3, 8, 9, 12])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Padded(0), "batch_size must be a whole number of at least 1; got 0"),
        (lambda: Padded(2.5), "got 2.5"),  # type: ignore[arg-type]
        (lambda: Padded(2, order="shuffled"), "'random', 'given', 'sorted'; got 'shuffled'"),  # type: ignore[arg-type]
        (lambda: Padded(2, remainder="pad"), "remainder"),  # type: ignore[arg-type]
        (lambda: Bucketed(batch_size=4), "either boundaries= or num_buckets="),
        (lambda: Bucketed(boundaries=(10,), num_buckets=2, batch_size=4), "either boundaries= or num_buckets="),
        (lambda: Bucketed(boundaries=(10,)), "batch_size=, cells= or cost="),
        (lambda: Bucketed(boundaries=(10, 10), batch_size=4), r"boundaries\[1\] is 10, after 10"),
        (lambda: Bucketed(boundaries=(0, 10), batch_size=4), r"boundaries\[0\]"),
        (lambda: Bucketed(boundaries=(10, 20), batch_size=(4, 2)), "2 numbers for 3 buckets"),
        (lambda: Bucketed(num_buckets=2, batch_size=(4, 0)), r"batch_size\[1\]"),
        (lambda: Bucketed(num_buckets=0, batch_size=4), "num_buckets"),
        (Packed, "rows= and steps=, or sequences="),
        (lambda: Packed(rows=3), "rows= and steps="),
        (lambda: Packed(rows=3, steps=9, sequences=4), "not both"),
        (lambda: Packed(sequences=3, long="stateful"), "without sequences="),
        (lambda: Packed(sequences=3, rows=4), "4 rows for 3 sequences"),
        (lambda: Packed(rows=3, steps=9, gap=-1), "gap must be"),
        (lambda: Packed(rows=3, steps=9, long="cut"), "'error', 'stateful'; got 'cut'"),  # type: ignore[arg-type]
        (lambda: Packed(sequences=3, row_multiple=0), "row_multiple must be"),
        (lambda: Bucketed(num_buckets=2, cells=9, cost=9, quadratic_steps=3), "either cells= or cost="),
        (lambda: Bucketed(num_buckets=2, cost=9), "go together"),
        (lambda: Bucketed(num_buckets=2, batch_size=2, quadratic_steps=9), "go together"),
        (lambda: Bucketed(num_buckets=2, batch_size=2, max_padding=1.0), "from 0 to below 1; got 1.0"),
        (lambda: Bucketed(num_buckets=2, batch_size=2, max_padding=float("nan")), "got nan"),
        (lambda: Bucketed(num_buckets=2, batch_size=2, batch_multiple=0), "batch_multiple must be"),
        (lambda: Bucketed(num_buckets=2, batch_size=2, pad_to="most"), "'longest', 'boundary'"),  # type: ignore[arg-type]
        (lambda: Bucketed(boundaries=(4, 9), cells=8, pad_to="boundary"), r"boundaries\[1\], 9, costs 9; .* is 8"),
        (lambda: Bucketed(boundaries=(10.0, 20.0), batch_size=2), r"boundaries\[0\] must be .* got 10.0"),  # type: ignore[arg-type]
        (lambda: Bucketed(boundaries=(True, 5), batch_size=2), r"boundaries\[0\] must be .* got True"),
        (lambda: Bucketed(boundaries=5, batch_size=2), "boundaries must be a list"),  # type: ignore[arg-type]
        (lambda: Bucketed(boundaries=(5,), batch_size=2.0), "batch_size must be whole numbers .* got 2.0"),  # type: ignore[arg-type]
        (lambda: Bucketed(boundaries=(2**63,), batch_size=2), r"boundaries\[0\] must be at most 2147483647"),
        (lambda: Bucketed(num_buckets=2, batch_size=2**63), "batch_size must be at most 2147483647"),
        (lambda: Bucketed(num_buckets=2, cells=2**63), "cells must be at most 4611686018427387904"),
        (lambda: Bucketed(num_buckets=2, batch_size=2, max_padding="0.1"), "got '0.1'"),  # type: ignore[arg-type]
        (lambda: Bucketed(num_buckets=2, batch_size=2, max_padding=False), "got False"),
        (lambda: Bucketed(num_buckets=2, batch_size=2, batch_multiple=4), "no batch could have so many rows"),
        (lambda: Bucketed(num_buckets=2, batch_size=(2, 3), batch_multiple=4), "no batch could have so many rows"),
        (lambda: Bucketed(num_buckets=2, cost=2**62, quadratic_steps=1).plan([2**31]), "64 bits"),
        (lambda: Bucketed(num_buckets=2, cost=2**62, quadratic_steps=1).plan([2**30] * 4), "64 bits"),
        (lambda: Packed(sequences=3, rows=2, row_multiple=4), "row_multiple= is for rows that are chosen"),
        (lambda: Packed(rows=2, steps=2, row_multiple=4), "row_multiple= is for rows that are chosen"),
        (lambda: Packed(rows=3, steps=9, gap=0.0), "gap must be a whole number of at least 0; got 0.0"),  # type: ignore[arg-type]
        (lambda: Packed(rows=2, steps=2**40), "steps must be at most"),
        (lambda: Stateful(2, 2**62), "steps must be at most"),
        (lambda: Stateful(2, 4).plan([1, 2], carried=[0.5]), r"carried is \[0.5\]"),
        (lambda: Stateful(2, 4).plan([1, 2], carried=[True]), r"carried is \[True\]"),
        (lambda: Stateful(2, 4).plan([1, 2], carried=["a"]), r"carried is \['a'\]"),
        (lambda: Stateful(2, 4).plan([1, 2], carried=1), "carried is 1"),
        (lambda: Stateful(2, 4).plan([1, 2], carried=[2**63]), "carried"),
        (lambda: Stateful(None, 4), "rows must be"),
        (lambda: Stateful(2, 4, align="day").plan([1, 2]), "'day': plan the sequences, not their lengths"),
        (lambda: Stateful(2, 4).plan([1, 2], carried=[0, 0]), "row of its own"),
        (lambda: Stateful(2, 4).plan([1, 2], carried=[2]), "names row 2; there are 2"),
        (lambda: Packed(2, 4, long="stateful").plan([1, 2], carried=[7]), "names row 7; there are 2"),
        (lambda: Padded(2).plan([1, 2], carried=[0]), "Padded carries no state"),
        (lambda: Packed(rows=3, steps=0), "steps must be"),
        (lambda: Stateful(0, 4), "rows must be"),
        (lambda: Stateful(4, 0), "steps must be"),
        (lambda: Padded(2).plan([1], seed=-1), "seed must be"),
        (lambda: Padded(2).plan([1], epoch=2**64), "epoch must be"),
    ],
)
def test_layouts_that_contradict_themselves_say_so(make: Any, words: str) -> None:
    with pytest.raises(LayoutError, match=words):
        make()


def _changed(plan: Plan, column: str, at: int, value: int) -> Plan:
    values = plan.column(column).copy()
    values[at] = value
    name = "table" if column in plan.table.column_names else "batches"
    table = getattr(plan, name)
    table = table.set_column(table.column_names.index(column), column, pa.array(values))
    tables = {"table": plan.table, "batches": plan.batches} | {name: table}
    return Plan(**tables, dropped=plan.dropped, lengths=plan.lengths, max_cells=plan.max_cells)


@pytest.mark.parametrize(
    ("column", "at", "value", "words"),
    [
        ("step", 1, 1, "batch 0, row 0: the span of sequence 3, steps 0 to 0, overlaps the span before it"),
        ("row", 3, 5, "lies on no row"),
        ("length", 0, 5, "reaches outside its sequence"),
        ("length", 0, 3, "step 3 of sequence 0 is laid out nowhere|sequence 0 has 4 steps, but 3"),
        ("sequence", 1, 0, "reaches outside|twice|lies"),
        ("batch", 3, 7, "has no such batch"),
        ("offset", 0, 1, "reaches outside its sequence"),
        ("cells", 0, 99, "batch 0 has 10 cells, but its record says 99"),
    ],
)
def test_check_names_the_place(column: str, at: int, value: int, words: str) -> None:
    plan = Packed(rows=2, steps=5, order="given").plan([4, 3, 2, 1])
    assert plan.column("sequence").tolist() == [0, 3, 1, 2]
    with pytest.raises(PlanError, match=words):
        _changed(plan, column, at, value).check()


@given(strategies.carried_plans())
def test_carried_plans_keep_the_contract(plan: Plan) -> None:
    plan.check()
    assert broken_rule(plan.lengths, spans_of(plan), shapes_of(plan), dropped_of(plan)) == ""


planned = st.builds(lambda lengths, layout: layout.plan(lengths, seed=1), strategies.lengths, strategies.layouts)


@settings(max_examples=200)
@given(st.one_of(planned, strategies.carried_plans()), st.data())
def test_check_and_oracle_agree_on_damaged_plans(plan: Plan, data: st.DataObject) -> None:
    if plan.table.num_rows == 0:
        return
    column = data.draw(st.sampled_from(["batch", "row", "step", "sequence", "offset", "length"]))
    at = data.draw(st.integers(0, plan.table.num_rows - 1))
    value = data.draw(st.integers(0, 8))
    damaged = _changed(plan, column, at, value)
    spans = spans_of(damaged)
    in_range = max(span.batch for span in spans) < plan.num_batches
    in_order = spans == sorted(spans)
    fine = in_range and in_order and not broken_rule(plan.lengths, spans, shapes_of(damaged), dropped_of(damaged))
    if fine:
        damaged.check()
    else:
        with pytest.raises(PlanError):
            damaged.check()


def test_check_follows_carried_sequences() -> None:
    def carried(row: int, offset: int) -> Plan:
        spans = {"batch": [0, 0, 1], "row": [0, 1, row], "step": [0, 0, 0], "sequence": [0, 1, 0]}
        spans |= {"offset": [0, 0, offset], "length": [4, 4, 2]}
        batches = {"rows": [2, 2], "steps": [4, 4], "update": [0, 1], "cells": [8, 8], "cost": [8, 8]}
        return Plan(
            table=pa.table(spans),
            batches=pa.table(batches),
            dropped=strategies.nothing_dropped(),
            lengths=np.array([6, 4]),
        )

    carried(row=0, offset=4).check()
    with pytest.raises(PlanError, match=r"batch 1, row 1.*does not continue"):
        carried(row=1, offset=4).check()


def test_layouts_take_the_numbers_of_numpy() -> None:
    plain = Bucketed(boundaries=(2, 4), batch_size=(3, 2, 1), max_padding=0.5)
    layout = Bucketed(boundaries=np.array([2, 4]), batch_size=np.array([3, 2, 1]), max_padding=np.float32(0.5))
    assert layout == plain
    assert repr(layout) == repr(plain)


@pytest.mark.parametrize(
    "layout",
    [
        Bucketed(num_buckets=2**31 - 1, batch_size=2),
        Packed(rows=2**31 - 1, steps=5),
        Packed(rows=2, steps=2**31 - 1),
        Packed(sequences=3, steps=2**31 - 1),
        Packed(sequences=3, gap=2**31 - 1),
        Stateful(2**31 - 1, 2**31 - 1),
    ],
)
def test_huge_numbers_take_no_memory_of_their_size(layout: Layout) -> None:
    plan = layout.plan([3, 1, 4, 1, 5])
    plan.check()
    assert [len(plan.shard(rank, 2**40).table) for rank in (0, 2**40 - 1)][1] == 0


def test_a_huge_length_takes_no_memory_of_its_size() -> None:
    plan = Packed(sequences=3).plan([2**40, 1, 2, 5])
    plan.check()
    assert plan.num_steps == 2**40 + 8
