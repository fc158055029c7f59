"""Packed rows: nothing overfull, gaps kept, exact counts, long sequences carried on."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone.core.layouts import Packed
from drystone.core.layouts.base import Layout
from tests.contract import strategies
from tests.contract.tables import shapes_of

Ints = np.ndarray[Any, np.dtype[np.int64]]


@given(strategies.lengths, st.integers(1, 8), strategies.seeds)
def test_packed_by_count_holds_exactly_that_many_sequences(lengths: Ints, count: int, seed: int) -> None:
    plan = Packed(sequences=count).plan(lengths, seed)
    sizes = np.bincount(plan.column("batch"))
    assert (sizes[:-1] == count).all()
    assert 1 <= sizes[-1] <= count


@given(strategies.lengths, st.one_of(strategies.packed, strategies.packed_long), strategies.seeds)
def test_starts_inside_a_row_have_their_gap(lengths: Ints, layout: Packed, seed: int) -> None:
    plan = layout.plan(lengths, seed)
    batch, row, step, length = (plan.column(name) for name in ("batch", "row", "step", "length"))
    same_row = (batch[1:] == batch[:-1]) & (row[1:] == row[:-1])
    assert (step[1:] >= step[:-1] + length[:-1] + layout.gap)[same_row].all()
    assert (step[1:][~same_row] == 0).all()


@given(strategies.lengths, strategies.packed, strategies.seeds)
def test_shapes_are_as_asked(lengths: Ints, layout: Packed, seed: int) -> None:
    shapes = shapes_of(layout.plan(lengths, seed))
    if layout.constant_shape:
        assert len(set(shapes)) <= 1
    if layout.sequences is None:
        assert all(rows == layout.rows for rows, _ in shapes[:-1])
    for rows, steps in shapes:
        assert layout.steps is None or steps == layout.steps
        assert layout.rows is None or rows <= layout.rows
        if layout.sequences is not None and layout.steps is None and layout.rows is None:
            assert rows < layout.row_multiple or rows % layout.row_multiple == 0


@given(strategies.lengths, strategies.packed_long, strategies.seeds)
def test_long_sequences_go_on_from_column_0_and_all_batches_have_all_rows(
    lengths: Ints, layout: Packed, seed: int
) -> None:
    plan = layout.plan(lengths, seed)
    assert {rows for rows, _ in shapes_of(plan)} <= {layout.rows}
    goes_on = plan.column("offset") > 0
    assert (plan.column("step")[goes_on] == 0).all()


@given(strategies.lengths, st.one_of(strategies.packed, strategies.packed_long), strategies.seeds)
def test_a_dropped_remainder_leaves_only_batches_that_use_all_rows(lengths: Ints, layout: Packed, seed: int) -> None:
    if layout.remainder == "keep":
        return
    plan = layout.plan(lengths, seed)
    for batch, (rows, _) in enumerate(shapes_of(plan)):
        if layout.sequences is None:
            assert len(set(plan.spans(batch).row.tolist())) == layout.rows == rows
        else:
            assert len(plan.spans(batch)) == layout.sequences


@given(strategies.lengths, strategies.lengths, st.one_of(strategies.packed_long, strategies.stateful))
def test_carried_sequences_start_at_column_0_of_their_rows(rests: Ints, others: Ints, layout: Any) -> None:
    rows = np.random.default_rng(0).permutation(layout.rows)[: len(rests)]
    lengths = np.concatenate([rests[: len(rows)], others])
    plan = layout.plan(lengths, carried=rows)
    plan.check()
    first = plan.table.to_pandas().query("batch == 0 and step == 0").set_index("sequence")["row"]
    if plan.num_batches:
        assert first.reindex(range(len(rows))).tolist() == rows.tolist()
    assert all(num_rows == layout.rows for num_rows, _ in shapes_of(plan))


@pytest.mark.parametrize(
    ("layout", "most"),
    [
        (Packed(rows=32, steps=512), 0.015),
        (Packed(sequences=64), 0.02),
        (Packed(sequences=64, rows=8), 0.02),
        (Packed(sequences=64, constant_shape=True), 0.4),
        (Packed(rows=32, steps=100, long="stateful"), 0.03),
    ],
)
def test_padding_on_long_tailed_lengths(layout: Layout, most: float) -> None:
    lengths = np.random.default_rng(0).lognormal(4, 0.8, 20_000).astype(np.int64) + 1
    plan = layout.plan(np.minimum(lengths, 512))
    assert plan.padding_fraction < most


@pytest.mark.parametrize(("rows", "lengths"), [(1, [11, 5] * 500), (4, [1000, *[6] * 9] * 100)])
def test_short_sequences_do_not_wait_for_all_long_ones(rows: int, lengths: list[int]) -> None:
    plan = Packed(rows, steps=10, long="stateful", order="given").plan(lengths)
    plan.check()
    batch = plan.column("batch")[plan.column("offset") == 0]
    is_short = plan.column("length")[plan.column("offset") == 0] < 10
    assert 0.45 < batch[is_short].mean() / plan.num_batches < 0.55
