"""The proof that a plan keeps the contract; each check names the first place that breaks it.

The order of the checks matters: each relies on those before it. Where every span either starts its sequence or
continues the one before it on its row, a sequence that starts once is one unbroken run from its step 0, and its
steps need only be counted.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core.errors import PlanError
from drystone.core.plan_columns import BATCH_COLUMNS, DROPPED_COLUMNS, SPAN_COLUMNS

if TYPE_CHECKING:
    from drystone.core.plan import Plan

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

COLUMNS = {"table": SPAN_COLUMNS, "batches": BATCH_COLUMNS, "dropped": DROPPED_COLUMNS}


def check_plan(plan: "Plan") -> None:
    """Raises PlanError at the first rule that the plan breaks."""
    check_tables(plan)
    _check_batches(plan)
    _check_spans_fit(plan)
    _check_no_overlap(plan)
    _check_carry(plan)
    _check_dropped(plan)
    _check_every_step_once(plan)


def check_tables(plan: "Plan") -> None:
    """Raises PlanError where a table has no such column, or one of another type or with missing values."""
    for name, columns in COLUMNS.items():
        table: pa.Table = getattr(plan, name)
        for column in columns:
            if column not in table.column_names:
                raise PlanError(f"plan.{name} has no column {column!r}; it has: {', '.join(table.column_names)}.")
            wanted = pa.string() if column == "reason" else pa.int64()
            if table[column].type != wanted or table[column].null_count:
                raise PlanError(
                    f"plan.{name}: column {column!r} must be {wanted} without missing values; "
                    f"got {table[column].type} with {table[column].null_count} missing."
                )
    if not 0 <= plan.rank < plan.num_ranks:
        raise PlanError(f"there is no rank {plan.rank} of {plan.num_ranks}.")


def _check_batches(plan: "Plan") -> None:
    for name in ("rows", "steps", "cost"):
        values = plan.column(name)
        _refuse_batch(values < 1, f"has {name} {{}}; at least 1 is needed", values)
    update = plan.column("update")
    rise = np.diff(update, prepend=np.where(update[:1] == 0, 0, -2))
    _refuse_batch((rise < 0) | (rise > 1), "belongs to update {}; updates rise from 0 without holes", update)
    cells = plan.column("rows") * plan.column("steps")
    _refuse_batch(cells != plan.column("cells"), "has {} cells, but its record says {}", cells, plan.column("cells"))
    if plan.max_cells is not None:
        _refuse_batch(cells > plan.max_cells, f"has {{}} cells; the budget is {plan.max_cells}", cells)


def _check_spans_fit(plan: "Plan") -> None:
    batch, row, step, sequence, offset, length = (plan.column(name) for name in COLUMNS["table"])
    _refuse(plan, (batch < 0) | (batch >= plan.num_batches), "has no such batch")
    _refuse(plan, (sequence < 0) | (sequence >= len(plan.lengths)), "has no such sequence")
    _refuse(plan, length < 1, "holds no step")
    _refuse(plan, (offset < 0) | (offset + length > plan.lengths[sequence]), "reaches outside its sequence")
    _refuse(plan, (row < 0) | (row >= plan.column("rows")[batch]), "lies on no row of its batch")
    _refuse(plan, (step < 0) | (step + length > plan.column("steps")[batch]), "reaches outside its row")


def _check_no_overlap(plan: "Plan") -> None:
    batch, row, step = (plan.column(name) for name in ("batch", "row", "step"))
    same_batch, same_row = batch[1:] == batch[:-1], row[1:] == row[:-1]
    disorder = (batch[1:] < batch[:-1]) | (same_batch & (row[1:] < row[:-1]))
    _refuse(plan, np.append(False, disorder), "is out of order (batch, row, step)")
    reaches_on = step[1:] < step[:-1] + plan.column("length")[:-1]
    _refuse(plan, np.append(False, same_batch & same_row & reaches_on), "overlaps the span before it")


def _check_carry(plan: "Plan") -> None:
    offset, sequence = plan.column("offset"), plan.column("sequence")
    goes_on = offset > 0
    if not goes_on.any():
        return
    row = plan.column("row")
    by_row = np.argsort(row.astype(np.min_scalar_type(int(row.max()))), kind="stable")
    before, after = by_row[:-1], by_row[1:]
    follows = (
        (row[before] == row[after])
        & (sequence[before] == sequence[after])
        & (offset[before] + plan.column("length")[before] == offset[after])
    )
    continues = np.zeros(len(row), dtype=bool)
    continues[after] = follows
    _refuse(plan, goes_on & ~continues, "does not continue the span before it on its row")


def _check_dropped(plan: "Plan") -> None:
    sequence, offset, length = (_dropped(plan, name) for name in COLUMNS["dropped"][:3])
    unknown = (sequence < 0) | (sequence >= len(plan.lengths))
    outside = unknown | (length < 1) | (offset < 0)
    outside |= offset + length > plan.lengths[np.where(unknown, 0, sequence)]
    if outside.any():
        at = int(np.argmax(outside))
        raise PlanError(
            f"dropped: there are no steps {offset[at]} to {offset[at] + length[at] - 1} of sequence {sequence[at]}."
        )
    silent = np.asarray(pc.equal(pc.utf8_length(plan.dropped["reason"]), 0))
    if silent.any():
        raise PlanError(f"dropped: sequence {sequence[np.argmax(silent)]} has no reason.")


def _check_every_step_once(plan: "Plan") -> None:
    sequence, is_first = plan.column("sequence"), plan.column("offset") == 0
    starts = np.bincount(sequence[is_first], minlength=len(plan.lengths))
    if starts.max() > 1:
        again = np.flatnonzero((sequence == np.argmax(starts > 1)) & is_first)
        _refuse(plan, np.arange(len(sequence)) == again[1], f"is laid out twice, first in {_place(plan, again[0])}")
    laid = np.bincount(sequence, weights=plan.column("length"), minlength=len(plan.lengths)).astype(np.int64)
    covered = _with_dropped(plan, laid)
    absent_may_be = (laid == 0) & (plan.num_ranks > 1)
    missing = (covered != plan.lengths) & ~absent_may_be
    if missing.any():
        at = int(np.argmax(missing))
        raise PlanError(
            f"step {covered[at]} of sequence {at} is laid out nowhere: of its {plan.lengths[at]} steps, "
            f"the first {covered[at]} are laid out or dropped."
        )


def _with_dropped(plan: "Plan", laid: Ints) -> Ints:
    """How far each sequence is laid out or dropped, from its step 0; what is dropped must go on where spans end."""
    sequence, offset, length = (_dropped(plan, name) for name in COLUMNS["dropped"][:3])
    if plan.num_ranks > 1:  # of a sequence in another share, it is not known here how far it is laid out
        here = laid[sequence] > 0
        sequence, offset, length = sequence[here], offset[here], length[here]
    order = np.lexsort((offset, sequence))
    sequence, offset, end = sequence[order], offset[order], (offset + length)[order]
    expected = laid[sequence]
    follows = np.flatnonzero(sequence[1:] == sequence[:-1]) + 1
    expected[follows] = end[follows - 1]
    wrong = offset != expected
    if wrong.any():
        at = int(np.argmax(wrong))
        what = "both laid out and dropped, or dropped twice" if offset[at] < expected[at] else "laid out nowhere"
        raise PlanError(f"step {min(offset[at], expected[at])} of sequence {sequence[at]} is {what}.")
    covered = laid.copy()
    np.maximum.at(covered, sequence, end)
    return covered


def _dropped(plan: "Plan", name: str) -> Ints:
    return np.asarray(plan.dropped[name])


def _refuse(plan: "Plan", wrong: Bools, reason: str) -> None:
    if wrong.any():
        at = int(np.argmax(wrong))
        sequence, offset, length = (plan.column(name)[at] for name in ("sequence", "offset", "length"))
        steps = f"steps {offset} to {offset + length - 1}"
        raise PlanError(f"{_place(plan, at)}: the span of sequence {sequence}, {steps}, {reason}.")


def _place(plan: "Plan", span: int) -> str:
    return f"batch {plan.column('batch')[span]}, row {plan.column('row')[span]}"


def _refuse_batch(wrong: Bools, reason: str, *values: Ints) -> None:
    if wrong.any():
        at = int(np.argmax(wrong))
        raise PlanError(f"batch {at} {reason.format(*(value[at] for value in values))}.")
