"""The figures of a plan, counted again by hand."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone import Packed, Padded, Stateful
from drystone.core.plan import Plan
from tests.contract import strategies
from tests.contract.tables import dropped_of, shapes_of, spans_of

planned = st.builds(
    lambda lengths, layout, ranks: layout.plan(lengths, 1).shard(0, ranks),
    strategies.lengths,
    strategies.layouts,
    st.integers(1, 3),
)


@given(st.one_of(planned, strategies.carried_plans()))
def test_figures_are_those_counted_by_hand(plan: Plan) -> None:
    summary, shapes, spans = plan.summary(), shapes_of(plan), spans_of(plan)
    cells = [rows * steps for rows, steps in shapes]
    laid = sum(span.length for span in spans)
    assert summary.num_batches == len(shapes)
    assert summary.num_updates == len(set(plan.batches["update"].to_pylist()))
    assert summary.num_sequences == len({span.sequence for span in spans})
    assert (summary.num_steps, summary.num_cells) == (laid, sum(cells))
    assert summary.padding_fraction == pytest.approx(1 - laid / sum(cells) if cells else 0)
    assert summary.shortest_batch == min((steps for _, steps in shapes), default=0)
    assert summary.longest_batch == max((steps for _, steps in shapes), default=0)
    assert summary.num_shapes == len(set(shapes))
    assert summary.largest_shape == max(shapes, key=lambda shape: shape[0] * shape[1], default=(0, 0))
    costs = plan.batches["cost"].to_pylist()
    assert summary.cost_balance == pytest.approx(max(costs) / np.mean(costs) if costs else 1)
    dropped = dropped_of(plan)
    assert sum(part.num_sequences for part in summary.dropped) == len({sequence for sequence, _, _ in dropped})
    assert sum(part.num_steps for part in summary.dropped) == sum(length for _, _, length in dropped)
    assert json.loads(json.dumps(summary.to_dict())) == summary.to_dict()


def test_in_words() -> None:
    plan = Padded(3, order="given", remainder="drop").plan([2, 2, 2, 9, 1, 6, 4, 5])
    assert str(plan.summary()) == (
        "batches    2 of 2 to 9 steps, the costliest 1.64 × the mean\n"
        "sequences  6 of 22 steps together\n"
        "cells      33, 33.3% padding\n"
        "shapes     2, the largest 3 × 9\n"
        "dropped    9 steps of 2 sequences: remainder"
    )
    assert repr(plan) == "Plan(2 batches, 6 sequences, 22 steps, 33 cells, 33.3% padding, 9 steps dropped)"
    assert str(Stateful(rows=2, steps=4).plan([7, 9]).summary()).splitlines()[0] == (
        "batches    3 of 4 steps, the costliest 1.00 × the mean"
    )


def test_a_plan_of_nothing_says_so() -> None:
    plan = Padded(3, remainder="drop").plan([2, 2])
    assert plan.summary().largest_shape == (0, 0)
    assert "dropped    4 steps of 2 sequences: remainder" in str(plan.summary())


def test_notebooks_show_a_table() -> None:
    html = Packed(rows=2, steps=5).plan([4, 3, 2, 1])._repr_html_()
    assert html.startswith("<table><tr><th")
    assert html.count("<tr>") == html.count("</tr>") == 4
    assert ">10, 0.0% padding</td>" in html
