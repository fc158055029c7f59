"""The proof that a plan keeps the contract; each check names the first place that breaks it."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from drystone.core.errors import PlanError

if TYPE_CHECKING:
    from drystone.core.plan import Plan


def check_plan(plan: "Plan") -> None:
    """Raises PlanError at the first rule that the plan breaks."""
    _check_spans_fit(plan)
    _check_no_overlap(plan)
    _check_every_step_once(plan)
    _check_carry(plan)
    _check_budget(plan)


def _check_spans_fit(plan: "Plan") -> None:
    batch, row, step, sequence, offset, length = (
        plan.column(name) for name in ("batch", "row", "step", "sequence", "offset", "length")
    )
    _refuse(plan, (batch < 0) | (batch >= plan.num_batches), "has no such batch")
    _refuse(plan, (sequence < 0) | (sequence >= len(plan.lengths)), "has no such sequence")
    _refuse(plan, length < 1, "holds no step")
    _refuse(plan, (offset < 0) | (offset + length > plan.lengths[sequence]), "reaches outside its sequence")
    _refuse(plan, (row < 0) | (row >= plan.column("rows")[batch]), "lies on no row of its batch")
    _refuse(plan, (step < 0) | (step + length > plan.column("steps")[batch]), "reaches outside its row")


def _check_no_overlap(plan: "Plan") -> None:
    batch, row, step = (plan.column(name) for name in ("batch", "row", "step"))
    stop = step + plan.column("length")
    same_row = (batch[1:] == batch[:-1]) & (row[1:] == row[:-1])
    disorder = (batch[1:] < batch[:-1]) | ((batch[1:] == batch[:-1]) & (row[1:] < row[:-1]))
    _refuse(plan, np.append(False, disorder), "is out of order (batch, row, step)")
    _refuse(plan, np.append(False, same_row & (step[1:] < stop[:-1])), "overlaps the span before it")


def _check_every_step_once(plan: "Plan") -> None:
    def both(name: str) -> npt.NDArray[np.int64]:
        return np.concatenate([plan.column(name), np.asarray(plan.dropped[name], dtype=np.int64)])

    sequence, offset, length = both("sequence"), both("offset"), both("length")
    unknown = (sequence < 0) | (sequence >= len(plan.lengths))
    if unknown.any():
        raise PlanError(f"there is no sequence {sequence[np.argmax(unknown)]}, of which steps are dropped.")
    order = np.lexsort((offset, sequence))
    sequence, offset, length = sequence[order], offset[order], length[order]
    starts = np.append(True, sequence[1:] != sequence[:-1]) if len(sequence) else np.zeros(0, bool)
    expected = np.where(starts, 0, np.append(0, (offset + length)[:-1]) if len(sequence) else 0)
    wrong = offset != expected
    if wrong.any():
        at = int(np.argmax(wrong))
        what = "twice" if offset[at] < expected[at] else "nowhere"
        step = min(offset[at], expected[at])
        raise PlanError(f"step {step} of sequence {sequence[at]} is laid out {what}.")
    steps_of = np.bincount(sequence, weights=length, minlength=len(plan.lengths)).astype(np.int64)
    missing = steps_of != plan.lengths
    if missing.any():
        at = int(np.argmax(missing))
        raise PlanError(f"sequence {at} has {plan.lengths[at]} steps, but {steps_of[at]} are laid out or dropped.")


def _check_carry(plan: "Plan") -> None:
    batch, row, sequence, offset = (plan.column(name) for name in ("batch", "row", "sequence", "offset"))
    end = offset + plan.column("length")
    carried = np.flatnonzero(offset > 0)
    if len(carried) == 0:
        return
    _refuse(plan, (offset > 0) & (plan.column("step") != 0), "continues a sequence, but not from column 0")
    order = np.lexsort((batch, row))
    before = np.full(len(batch), -1)
    before[order[1:]] = order[:-1]
    previous = before[carried]
    follows = (
        (previous >= 0)
        & (row[previous] == row[carried])
        & (batch[previous] == batch[carried] - 1)
        & (sequence[previous] == sequence[carried])
        & (end[previous] == offset[carried])
    )
    wrong = np.zeros(len(batch), bool)
    wrong[carried] = ~follows
    _refuse(plan, wrong, "does not continue the last span of the same row of the batch before")


def _check_budget(plan: "Plan") -> None:
    cells = plan.column("rows") * plan.column("steps")
    if (cells != plan.column("cells")).any():
        at = int(np.argmax(cells != plan.column("cells")))
        raise PlanError(f"batch {at} has {cells[at]} cells, but its record says {plan.column('cells')[at]}.")
    if plan.max_cells is not None and (cells > plan.max_cells).any():
        at = int(np.argmax(cells > plan.max_cells))
        raise PlanError(f"batch {at} has {cells[at]} cells; the budget is {plan.max_cells}.")


def _refuse(plan: "Plan", wrong: npt.NDArray[np.bool_], reason: str) -> None:
    if not wrong.any():
        return
    at = int(np.argmax(wrong))
    batch, row, sequence, offset, length = (
        plan.column(name)[at] for name in ("batch", "row", "sequence", "offset", "length")
    )
    raise PlanError(
        f"batch {batch}, row {row}: the span of sequence {sequence}, steps {offset} to {offset + length - 1}, {reason}."
    )
