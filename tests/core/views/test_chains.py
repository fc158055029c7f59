"""Any chain of views is what plain loops make of it, in memory, in batches and in files."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone import Sequences, collate
from drystone.core.layouts import Layout
from tests.contract import strategies as contract
from tests.contract.tables import spans_of
from tests.core.views.plain import Plain, check_same
from tests.core.views.strategies import offsets, viewed


@given(viewed(max_views=4))
def test_any_chain_of_views_is_what_loops_make_of_it(made: tuple[Sequences, Plain]) -> None:
    seqs, plain = made
    check_same(seqs, plain)
    np.testing.assert_array_equal(seqs.field("x").values, [value for run in plain.runs for value in plain.values(run)])
    if plain.offsets:
        rows = [row for run in plain.runs for row in plain.ahead(run)]
        np.testing.assert_array_equal(seqs.field("x_ahead").values, rows)


@given(viewed(), contract.layouts, contract.seeds)
def test_batches_of_views_hold_each_step_scored_as_it_should_be(
    made: tuple[Sequences, Plain], layout: Layout, seed: int
) -> None:
    seqs, plain = made
    seqs = seqs.truncate(contract.MAX_LENGTH)  # what every layout of the strategy can hold
    first, stop = seqs.scored_steps()
    plan = layout.plan(seqs.lengths, seed)
    for index in range(plan.num_batches):
        batch = collate(seqs, plan, index)
        scored = np.zeros(batch.shape, bool)
        for span in (span for span in spans_of(plan) if span.batch == index):
            for k in range(span.length):
                cell, step = (span.row, span.step + k), span.offset + k
                scored[cell] = first[span.sequence] <= step < stop[span.sequence]
                for name in ("x", "x_ahead") if plain.offsets else ("x",):
                    np.testing.assert_array_equal(batch[name][cell], seqs[span.sequence][name][step])
        np.testing.assert_array_equal(batch.scored, scored)
        for name in batch.step_fields:
            assert (batch[name][~batch.valid] == 0).all()


@given(made=viewed())
def test_saved_views_open_with_their_values_and_what_is_scored(
    made: tuple[Sequences, Plain], tmp_path_factory: pytest.TempPathFactory
) -> None:
    seqs, _ = made
    path = tmp_path_factory.mktemp("saved") / "view.arrow"
    seqs.save(path)
    opened = Sequences.open(path)
    assert opened.field_names == seqs.field_names
    np.testing.assert_array_equal(opened.scored_steps(), seqs.scored_steps())
    assert opened.fingerprint() == seqs.fingerprint()
    for name in opened.field_names:
        np.testing.assert_array_equal(opened.field(name).values, seqs.field(name).values)


@given(viewed(), offsets, st.integers(1, 5), st.integers(1, 6), st.integers(0, 3))
def test_ahead_and_windows_commute(
    made: tuple[Sequences, Plain], ahead: tuple[int, ...], steps: int, stride: int, horizon: int
) -> None:
    seqs, _ = made
    one = seqs.ahead("x", ahead, name="later").windows(steps, stride, horizon)
    two = seqs.windows(steps, stride, horizon).ahead("x", ahead, name="later")
    assert one.lengths.tolist() == two.lengths.tolist()
    np.testing.assert_array_equal(one.scored_steps(), two.scored_steps())
    np.testing.assert_array_equal(one.field("later").values, two.field("later").values)


@given(viewed())
def test_places_name_the_source(made: tuple[Sequences, Plain]) -> None:
    seqs, plain = made
    if not seqs.notes:
        return
    for number, run in enumerate(plain.runs):
        assert f"from step {run.start} of source sequence {run.source}" in seqs.place(number)
        assert seqs.source[number] == run.source
