"""Batches hold what the plan says, and their masks follow the contract."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone import DataError, Grid, Packed, Padded, Sequences, ShapeError, collate
from drystone.core.layouts import Layout
from tests.contract import oracle, strategies
from tests.contract.tables import shapes_of, spans_of

Array = np.ndarray[Any, Any]


def numbered(lengths: Array) -> Sequences:
    arrays = [1000.0 * index + 1 + np.arange(length) for index, length in enumerate(lengths)]
    words = [[f"{index}/{step}" for step in range(length)] for index, length in enumerate(lengths)]
    names = [f"s{index}" for index in range(len(lengths))]
    return Sequences.from_arrays({"x": arrays, "word": words}, {"y": np.arange(len(lengths)), "name": names})


@given(strategies.lengths, strategies.layouts, strategies.seeds)
def test_batches_are_what_the_contract_says(lengths: Array, layout: Layout, seed: int) -> None:
    seqs, plan = numbered(lengths), layout.plan(lengths, seed)
    spans, shapes = spans_of(plan), shapes_of(plan)
    for index in range(plan.num_batches):
        batch = collate(seqs, plan, index)
        inside = [span for span in spans if span.batch == index]
        valid, reset, sequence = oracle.masks(inside, *shapes[index])
        np.testing.assert_array_equal(batch.valid, valid)
        np.testing.assert_array_equal(batch.reset, reset)
        np.testing.assert_array_equal(batch.sequence, sequence)
        np.testing.assert_array_equal(batch.scored, valid)
        for span in inside:
            cells = (span.row, slice(span.step, span.step + span.length))
            steps = slice(span.offset, span.offset + span.length)
            np.testing.assert_array_equal(batch["x"][cells], seqs[span.sequence]["x"][steps])
            np.testing.assert_array_equal(batch["word"][cells], seqs[span.sequence]["word"][steps])
            assert (batch.by_step("y")[cells] == span.sequence).all()
        assert (batch["x"][~valid] == 0).all()
        assert (batch["word"][~valid] == "").all()
        assert (batch.by_step("name")[~valid] == "").all()
        np.testing.assert_array_equal(batch["y"], batch.ends.sequence)
        assert batch["name"].tolist() == [f"s{number}" for number in batch.ends.sequence]
        np.testing.assert_array_equal(batch.sequence[batch.ends.row, batch.ends.step], batch.ends.sequence)


def test_under_padded_y_belongs_to_rows() -> None:
    lengths = np.array([3, 1, 2])
    batch = collate(numbered(lengths), Padded(3).plan(lengths), 0)
    np.testing.assert_array_equal(batch.ends.row, [0, 1, 2])
    np.testing.assert_array_equal(batch["y"], batch.sequence[:, 0])


def test_a_batch_owns_its_memory() -> None:
    values = np.arange(4.0)
    seqs = Sequences.from_ragged([0, 4], {"x": values})
    plan = Padded(1).plan([4])
    batch = collate(seqs, plan, 0)
    batch["x"][:] = 7.0
    batch.valid[:] = False
    batch.spans.row[:] = 9
    assert values.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert collate(seqs, plan, 0).valid.all()
    plan.check()


def test_fields_can_be_chosen_and_wrong_ones_are_named() -> None:
    lengths = np.array([2, 1])
    seqs, plan = numbered(lengths), Packed(rows=1, steps=3).plan(lengths)
    assert list(collate(seqs, plan, 0, fields=["x", "y"])) == ["x", "y"]
    with pytest.raises(DataError, match="no field 'z'"):
        collate(seqs, plan, 0, fields=["z"])
    with pytest.raises(DataError, match="no field 'z' in this batch; the fields are: x, word, y, name"):
        collate(seqs, plan, 0)["z"]
    with pytest.raises(DataError, match="for 2 sequences; got 1"):
        collate(seqs[:1], plan, 0)
    with pytest.raises(DataError, match="plan is for other sequences: 0 has 1 steps, planned 2"):
        collate(seqs.select([1, 0]), plan, 0)
    with pytest.raises(DataError, match=r"'x' has a value a step already: use batch\['x'\]"):
        collate(seqs, plan, 0).by_step("x")
    with pytest.raises(IndexError, match="no batch 1"):
        collate(seqs, plan, 1)


@given(strategies.lengths, strategies.whole_layouts)
def test_masks_give_back_the_spans_of_a_grid(lengths: Array, layout: Layout) -> None:
    plan = layout.plan(lengths)
    for index in range(plan.num_batches):
        grid = Grid.from_spans(*plan.shape(index), plan.spans(index))
        again = Grid.from_masks(grid.reset, grid.valid)
        for name in ("row", "start", "stop", "offset", "is_first", "is_last"):
            np.testing.assert_array_equal(getattr(again.spans, name), getattr(grid.spans, name), err_msg=name)
        np.testing.assert_array_equal(again.ends.step, grid.ends.step)


@given(strategies.masks())
def test_spans_of_any_masks_cover_the_valid_cells(masks: tuple[Array, Array]) -> None:
    valid, reset = masks
    grid = Grid.from_masks(reset, valid)
    covered = np.zeros(valid.shape, int)
    for row, start, stop in zip(grid.spans.row, grid.spans.start, grid.spans.stop, strict=True):
        covered[row, start:stop] += 1
        assert not reset[row, start + 1 : stop].any()
    np.testing.assert_array_equal(covered, valid)
    # A sequence starts at a span if a reset came since the valid cell before it, on invalid cells too.
    for number, (row, start) in enumerate(zip(grid.spans.row, grid.spans.start, strict=True)):
        before = np.flatnonzero(valid[row, :start])
        since = before[-1] + 1 if len(before) else 0
        assert grid.spans.is_first[number] == reset[row, since : start + 1].any()


@pytest.mark.parametrize("mask", [np.ones((2, 3)), np.ones(3, bool), np.ones((2, 0), bool)])
def test_masks_that_are_none_are_refused(mask: Array) -> None:
    with pytest.raises(ShapeError, match=r"must be bool of shape \[rows, steps\]"):
        Grid.from_masks(mask, mask)


def test_masks_of_two_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(2, 3\) and valid \(2, 4\)"):
        Grid.from_masks(np.ones((2, 3), bool), np.ones((2, 4), bool))


@given(st.integers(1, 5))
def test_by_step_repeats_vectors(count: int) -> None:
    vectors = np.arange(count * 2).reshape(count, 2) + 1
    seqs = Sequences.from_arrays({"x": [[0.0] * (k + 1) for k in range(count)]}, {"v": vectors})
    batch = collate(seqs, Packed(sequences=count).plan(seqs.lengths), 0)
    np.testing.assert_array_equal(batch.by_step("v")[batch.valid], vectors[batch.sequence[batch.valid]])


def test_a_batch_prints_as_one_line() -> None:
    seqs = numbered(np.array([3, 1]))
    batch = collate(seqs, Padded(2, order="given").plan(seqs.lengths), 0)
    assert (
        repr(batch)
        == "Batch(2 × 3 cells, 4 valid ones; x float64[2, 3], word object[2, 3], y int64[2], name object[2])"
    )
