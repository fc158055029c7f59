"""`Plan.check`: what it lets pass and what it refuses, by name."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone import Padded, PlanError
from drystone.core.plan import Plan
from drystone.core.plan_columns import SPAN_COLUMNS
from tests.contract import strategies
from tests.contract.oracle import Span, broken_rule
from tests.contract.tables import dropped_of, shapes_of, spans_of


def plan_of(spans: list[Span], lengths: list[int], **changed: Any) -> Plan:
    """A plan of these spans, on batches of 2 rows × 4 steps."""
    count = max(span.batch for span in spans) + 1
    batches = {"rows": [2] * count, "steps": [4] * count, "update": list(range(count)), "cells": [8] * count}
    batches |= {"cost": [8] * count}
    batches |= {name: values for name, values in changed.items() if name in batches}
    others = {name: value for name, value in changed.items() if name not in batches}
    columns = np.array(spans, dtype=np.int64).T
    tables = {"dropped": strategies.nothing_dropped()} | others
    return Plan(
        table=pa.table(dict(zip(SPAN_COLUMNS, columns, strict=True))),
        batches=pa.table(batches),
        lengths=np.array(lengths),
        **tables,
    )


def dropped(*parts: tuple[int, int, int], reason: str = "too long") -> pa.Table:
    rows = [{"sequence": s, "offset": o, "length": n, "reason": reason} for s, o, n in parts]
    return pa.Table.from_pylist(rows, strategies.nothing_dropped().schema)


CARRIED = {
    "from column 0 of the next batch": [Span(0, 0, 0, 0, 0, 4), Span(1, 0, 0, 0, 4, 2)],
    "after invalid cells": [Span(0, 0, 0, 0, 0, 3), Span(1, 0, 1, 0, 3, 3)],
    "in the same batch": [Span(0, 0, 0, 0, 0, 2), Span(0, 0, 3, 0, 2, 1), Span(1, 0, 0, 0, 3, 3)],
    "over a batch in which the row is idle": [
        Span(0, 0, 0, 0, 0, 4), Span(1, 1, 0, 1, 0, 1), Span(2, 0, 0, 0, 4, 2),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", CARRIED)
def test_a_sequence_may_go_on(name: str) -> None:
    spans = CARRIED[name]
    lengths = [6, 1] if any(span.sequence == 1 for span in spans) else [6]
    plan = plan_of(spans, lengths)
    plan.check()
    assert broken_rule(plan.lengths, spans, shapes_of(plan), []) == ""


NOT_CARRIED = {
    "on another row": ([Span(0, 0, 0, 0, 0, 4), Span(1, 1, 0, 0, 4, 2)], [6], "batch 1, row 1"),
    "after another sequence": (
        [Span(0, 0, 0, 0, 0, 2), Span(0, 0, 2, 1, 0, 1), Span(1, 0, 0, 0, 2, 4)], [6, 1], "batch 1, row 0",
    ),
    "with steps left out": ([Span(0, 0, 0, 0, 0, 3), Span(1, 0, 0, 0, 4, 2)], [6], "batch 1, row 0"),
    "without a start": ([Span(0, 0, 0, 0, 2, 4)], [6], "batch 0, row 0"),
    "in the wrong order": ([Span(0, 0, 0, 0, 3, 3), Span(1, 0, 0, 0, 0, 3)], [6], "batch 0, row 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_CARRIED)
def test_a_sequence_goes_on_where_it_stopped(name: str) -> None:
    spans, lengths, place = NOT_CARRIED[name]
    plan = plan_of(spans, lengths)
    with pytest.raises(PlanError, match=f"{place}: the span of sequence 0, .*does not continue the span before it"):
        plan.check()
    assert broken_rule(plan.lengths, spans, shapes_of(plan), []) != ""


ONE = [Span(0, 0, 0, 0, 0, 4)]


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (plan_of(ONE, [4], rows=[0], cells=[0]), "batch 0 has rows 0; at least 1 is needed"),
        (plan_of(ONE, [4], steps=[0], cells=[0]), "batch 0 has steps 0; at least 1"),
        (plan_of(ONE, [4], cost=[0]), "batch 0 has cost 0; at least 1"),
        (plan_of(ONE, [4], update=[1]), "batch 0 belongs to update 1; updates rise from 0"),
        (plan_of([*ONE, Span(1, 0, 0, 1, 0, 1)], [4, 1], update=[0, 2]), "batch 1 belongs to update 2"),
        (plan_of([*ONE, Span(1, 0, 0, 1, 0, 1)], [4, 1], update=[0, -1]), "batch 1 belongs to update -1"),
        (plan_of(ONE, [4], max_cells=7), "batch 0 has 8 cells; the budget is 7"),
        (plan_of(ONE, [4], cells=[7]), "batch 0 has 8 cells, but its record says 7"),
        (plan_of(ONE, [5]), "step 4 of sequence 0 is laid out nowhere: of its 5 steps, the first 4"),
        (plan_of(ONE, [4, 2]), "step 0 of sequence 1 is laid out nowhere"),
        (plan_of([*ONE, Span(0, 1, 0, 0, 0, 4)], [4]), "batch 0, row 1: .* laid out twice, first in batch 0, row 0"),
        (plan_of(ONE, [4], dropped=dropped((0, 3, 1))), "step 3 of sequence 0 is both laid out and dropped"),
        (plan_of(ONE, [6], dropped=dropped((0, 5, 1))), "step 4 of sequence 0 is laid out nowhere"),
        (plan_of(ONE, [6], dropped=dropped((0, 4, 2), (0, 5, 1))), "step 5 of sequence 0 is .* dropped twice"),
        (plan_of(ONE, [4], dropped=dropped((1, 0, 1))), "no steps 0 to 0 of sequence 1"),
        (plan_of(ONE, [6], dropped=dropped((0, 4, 3))), "no steps 4 to 6 of sequence 0"),
        (plan_of(ONE, [4], dropped=dropped((0, 4, 0))), "no steps 4 to 3 of sequence 0"),
        (plan_of(ONE, [6], dropped=dropped((0, 4, 2), reason="")), "sequence 0 has no reason"),
        (plan_of(ONE, [6], dropped=dropped((0, 4, 2)).drop_columns(["reason"])), "plan.dropped has no column 'reason'"),
        (plan_of(ONE, [4], cost=[8.0]), "column 'cost' must be int64 without missing values; got double"),
        (plan_of(ONE, [4], cost=pa.array([None], pa.int64())), "got int64 with 1 missing"),
        (plan_of(ONE, [4], rank=1), "no rank 1 of 1"),
    ],
)  # fmt: skip
def test_each_rule_is_named(plan: Plan, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        plan.check()


def test_a_cut_tail_is_whole_together_with_what_was_dropped() -> None:
    plan_of(ONE, [6], dropped=dropped((0, 5, 1), (0, 4, 1))).check()


def test_in_a_share_a_sequence_is_whole_or_absent() -> None:
    share = {"rank": 0, "num_ranks": 2}
    plan_of(ONE, [4, 3], **share).check()
    plan_of(ONE, [4, 3], dropped=dropped((1, 2, 1)), **share).check()
    with pytest.raises(PlanError, match="step 4 of sequence 0 is laid out nowhere"):
        plan_of(ONE, [5, 3], **share).check()
    with pytest.raises(PlanError, match="step 4 of sequence 0 is laid out nowhere"):
        plan_of(ONE, [6, 3], dropped=dropped((0, 5, 1)), **share).check()


@given(st.one_of(strategies.carried_plans(), st.just(Padded(2, remainder="drop").plan([3, 1, 2]))), st.data())
def test_a_span_taken_away_is_found(plan: Plan, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, plan.table.num_rows - 1))
    kept = pa.array([number for number in range(plan.table.num_rows) if number != at], pa.int64())
    damaged = Plan(table=plan.table.take(kept), batches=plan.batches, dropped=plan.dropped, lengths=plan.lengths)
    assert broken_rule(plan.lengths, spans_of(damaged), shapes_of(plan), dropped_of(plan)) != ""
    with pytest.raises(PlanError):
        damaged.check()
