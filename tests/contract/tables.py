"""A plan's tables, in the oracle's words."""

from drystone.core.plan import Plan
from drystone.core.plan_columns import SPAN_COLUMNS
from tests.contract.oracle import Span


def spans_of(plan: Plan) -> list[Span]:
    columns = plan.table.to_pydict()
    return [Span(*values) for values in zip(*(columns[name] for name in SPAN_COLUMNS), strict=True)]


def shapes_of(plan: Plan) -> list[tuple[int, int]]:
    columns = plan.batches.to_pydict()
    return list(zip(columns["rows"], columns["steps"], strict=True))


def dropped_of(plan: Plan) -> list[tuple[int, int, int]]:
    columns = plan.dropped.to_pydict()
    return list(zip(columns["sequence"], columns["offset"], columns["length"], strict=True))
