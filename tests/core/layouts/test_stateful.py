"""Tapes hold all and end together; aligned series share their columns."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone import DataError, LayoutError, Sequences
from drystone.core.layouts import Stateful
from tests.contract import strategies
from tests.contract.tables import shapes_of, spans_of

Ints = np.ndarray[Any, np.dtype[np.int64]]


@given(strategies.lengths, strategies.stateful, strategies.seeds)
def test_stateful_tapes_hold_all_and_end_together(lengths: Ints, layout: Stateful, seed: int) -> None:
    plan = replace(layout, remainder="keep").plan(lengths, seed)
    assert plan.dropped.num_rows == 0
    assert plan.num_steps == lengths.sum()
    num_rows = min(layout.rows, len(lengths))
    assert set(shapes_of(plan)) == {(num_rows, layout.steps)}
    tapes = np.bincount(plan.column("row"), weights=plan.column("length"), minlength=num_rows)
    assert tapes.max() - tapes.min() <= lengths.max()
    for row in range(num_rows):
        on_row = plan.column("row") == row
        at = plan.column("batch")[on_row] * layout.steps + plan.column("step")[on_row]
        assert (at == np.cumsum(plan.column("length")[on_row]) - plan.column("length")[on_row]).all()


def test_stateful_in_the_given_order_takes_the_tape_that_ends_first() -> None:
    plan = Stateful(rows=2, steps=4, order="given").plan([6, 3, 3, 1])
    names = ("batch", "row", "step", "sequence", "offset")
    found = list(zip(*(plan.column(name).tolist() for name in names), strict=True))
    first = [(0, 0, 0, 0, 0), (0, 1, 0, 1, 0), (0, 1, 3, 2, 0)]
    assert found == [*first, (1, 0, 0, 0, 4), (1, 0, 2, 3, 0), (1, 1, 0, 2, 1)]


def test_stateful_tapes_are_balanced_on_long_tailed_lengths() -> None:
    lengths = np.random.default_rng(0).lognormal(4, 0.8, 5_000).astype(np.int64) + 1
    plan = Stateful(rows=32, steps=50).plan(lengths)
    tapes = np.bincount(plan.column("row"), weights=plan.column("length"))
    assert (tapes.max() - tapes.min()) / tapes.max() < 0.001
    assert plan.padding_fraction < 0.01


@given(strategies.lengths, st.integers(1, 4), st.integers(1, 9), strategies.seeds)
def test_a_dropped_remainder_leaves_only_full_batches(lengths: Ints, rows: int, steps: int, seed: int) -> None:
    layout = Stateful(rows, steps, remainder="drop")
    plan, whole = layout.plan(lengths, seed), replace(layout, remainder="keep").plan(lengths, seed)
    assert plan.num_steps == plan.num_cells
    assert plan.table.equals(whole.table.slice(0, plan.table.num_rows))
    dropped = plan.dropped.to_pandas()
    assert (dropped["offset"] + dropped["length"] == lengths[dropped["sequence"]]).all()


@st.composite
def series(draw: Any) -> list[list[int]]:
    times = st.lists(st.integers(0, 14), min_size=1, max_size=12, unique=True).map(sorted)
    return draw(st.lists(times, min_size=1, max_size=6))


def sequences_at(times: list[list[int]]) -> Sequences:
    return Sequences.from_arrays({"day": times, "x": [np.array(found) * 1.5 for found in times]})


@given(series(), st.sampled_from([None, 1, 2, 3]), st.integers(1, 5), st.sampled_from(["given", "random"]))
def test_aligned_series_share_their_columns(times: list[list[int]], rows: int | None, steps: int, order: Any) -> None:
    plan = Stateful(rows, steps, align="day", order=order).plan(sequences_at(times), seed=3)
    plan.check()
    assert plan.dropped.num_rows == 0
    columns = {time: column for column, time in enumerate(sorted({time for found in times for time in found}))}
    batches_a_group = -(-len(columns) // steps)
    row_of: dict[int, tuple[int, int]] = {}
    for span in spans_of(plan):
        group, batch = divmod(span.batch, batches_a_group)
        assert row_of.setdefault(span.sequence, (group, span.row)) == (group, span.row)
        for k in range(span.length):
            assert columns[times[span.sequence][span.offset + k]] == batch * steps + span.step + k
    assert len(set(row_of.values())) == len(times)
    assert set(shapes_of(plan)) == {(min(rows or len(times), len(times)), steps)}
    if order == "given" and rows is None:
        assert all(row == sequence for sequence, (_, row) in row_of.items())


def test_aligned_series_keep_their_state_over_gaps() -> None:
    plan = Stateful(None, 3, align="day", order="given").plan(sequences_at([[0, 1, 2, 3, 4, 5, 6], [1, 6]]))
    found = [(span.batch, span.row, span.step, span.offset, span.length) for span in spans_of(plan) if span.sequence]
    assert found == [(0, 1, 1, 0, 1), (2, 1, 0, 1, 1)]


def test_aligned_timestamps() -> None:
    days = [np.array(["2024-01-01", "2024-01-03"], "M8[s]"), np.array(["2024-01-02"], "M8[s]")]
    plan = Stateful(None, 5, align="day").plan(Sequences.from_arrays({"day": days}))
    assert sorted(plan.column("step").tolist()) == [0, 1, 2]


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([[1, 2], [3, 3]], "the time of sequence 1, step 1, is 3, after 3"),
        ([[2, 1]], "sequence 0, step 1, is 1, after 2"),
        ([[1.0, float("nan")]], "step 1, is nan"),
        ([[["a"]]], "shape"),
    ],
)
def test_times_that_cannot_be_aligned_are_named(times: Any, words: str) -> None:
    if words == "shape":
        seqs = Sequences.from_arrays({"day": [np.ones((2, 2))]})
    else:
        seqs = Sequences.from_arrays({"day": times})
    with pytest.raises(DataError, match=words):
        Stateful(None, 2, align="day").plan(seqs)


@pytest.mark.parametrize(("field", "words"), [("site", "one value a sequence"), ("note", "text")])
def test_fields_that_hold_no_times_are_named(field: str, words: str) -> None:
    seqs = Sequences.from_arrays({"note": [["a", "b"], ["c", "d"]]}, {"site": [1, 2]})
    with pytest.raises(LayoutError, match=f"field '{field}' holds {words}; expected a number or timestamp a step"):
        Stateful(None, 2, align=field).plan(seqs)
