"""Shares of a plan: the rows of every batch dealt out to ranks, so that all have about as many steps."""

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drystone.core.errors import PlanError
from drystone.core.lengths import offsets_of, ranges

if TYPE_CHECKING:
    from drystone.core.plan import Plan

Ints = npt.NDArray[np.int64]

FULL = np.iinfo(np.int64).max  # more than any load: a rank that may take no more rows


def share_of(plan: "Plan", rank: int, num_ranks: int) -> "Plan":
    """Returns one rank's rows of every batch, numbered anew in their order; see `Plan.shard`."""
    check_rank("shard", rank, num_ranks)
    _check_whole(plan)
    rows, row = plan.column("rows"), plan.column("row")
    if goes_on(plan):
        place = row
        rank_of, number = rows_with_state(plan, num_ranks)
        new_row = number[place]
        new_rows = np.maximum.accumulate(number + 1)[rows - 1]
    else:
        first = offsets_of(rows)
        place, rank_of = _by_batch(plan, num_ranks)
        before = offsets_of((rank_of == rank).astype(np.int64))
        new_row = before[place] - before[first[plan.column("batch")]]
        new_rows = -(-rows // num_ranks)
    mine = np.flatnonzero(rank_of[place] == rank)
    return replace(
        plan,
        table=_with(plan.table.take(pa.array(mine)), row=new_row[mine]),
        batches=_with(
            plan.batches,
            rows=new_rows,
            cells=new_rows * plan.column("steps"),
            cost=-(-plan.column("cost") * new_rows // rows),
        ),
        rank=int(rank),
        num_ranks=int(num_ranks),
    )


def ranks_of_spans(plan: "Plan", num_ranks: int) -> Ints:
    """Returns, of a whole plan, which rank has each span: [spans], in the order of its table.

    Example:
        >>> from drystone import Padded
        >>> ranks_of_spans(Padded(batch_size=4, order="given").plan([9, 5, 4, 3]), num_ranks=2)
        array([0, 1, 1, 0])
    """
    check_rank("ranks_of_spans", 0, num_ranks)
    _check_whole(plan)
    if goes_on(plan):
        return rows_with_state(plan, num_ranks)[0][plan.column("row")]
    place, rank_of = _by_batch(plan, num_ranks)
    return rank_of[place]


def steps_of_ranks(plan: "Plan", num_ranks: int) -> Ints:
    """Returns, of a whole plan, the real steps that each rank has of each batch: [batches, ranks].

    Example:
        >>> from drystone import Padded
        >>> steps_of_ranks(Padded(batch_size=4, order="given").plan([9, 5, 4, 3]), num_ranks=2)
        array([[12,  9]])
    """
    place = plan.column("batch") * num_ranks + ranks_of_spans(plan, num_ranks)
    steps = np.bincount(place, weights=plan.column("length"), minlength=plan.num_batches * num_ranks)
    return steps.astype(np.int64).reshape(plan.num_batches, num_ranks)


def waiting_fraction(plan: "Plan", num_ranks: int) -> float:
    """Returns the fraction of their time that ranks wait for the fullest of them, where every real step costs the same.

    Example:
        >>> from drystone import Padded
        >>> waiting_fraction(Padded(batch_size=4, order="given").plan([9, 5, 4, 3]), num_ranks=2)
        0.125
    """
    steps = steps_of_ranks(plan, num_ranks)
    time = steps.max(axis=1, initial=0).sum() * num_ranks
    return float(1 - steps.sum() / time) if time else 0.0


def goes_on(plan: "Plan") -> bool:
    """Returns whether a sequence goes on from span to span: a row then stays with its rank, and its state with it."""
    return bool((plan.column("offset") > 0).any())


def rows_with_state(plan: "Plan", num_ranks: int) -> tuple[Ints, Ints]:
    """Returns, of a whole plan where sequences go on, the rank of each row in all batches, and its place there.

    Example:
        >>> from drystone import Stateful
        >>> rank_of, number = rows_with_state(Stateful(rows=3, steps=2).plan([9, 5, 4]), num_ranks=2)
        >>> rank_of.tolist(), number.tolist()
        ([0, 1, 1], [0, 0, 1])
    """
    rows = plan.column("rows")
    rank_of = deal(_steps_on(plan.column("row"), plan, int(rows.max())), rows.max(keepdims=True), num_ranks)
    return rank_of, _numbered(rank_of)


def deal(steps: Ints, counts: Ints, num_ranks: int) -> Ints:
    """Deals the rows of every group out to ranks, all groups at once.

    After one row for each rank, the longest row that is left goes to the rank that has the fewest steps so far,
    among those that have fewer than ceil(count / num_ranks) rows of the group. Ties go to the lower rank and row.

    Args:
        steps: [rows of all groups] the steps on each row, one group after the other.
        counts: [groups] how many rows each has.
        num_ranks: ≥ 1.

    Returns:
        [rows of all groups], the rank of each.

    Example:
        >>> deal(np.array([9, 5, 4, 3, 1, 1]), np.array([4, 2]), num_ranks=2)
        array([0, 1, 1, 0, 0, 1])
    """
    first = offsets_of(counts)
    order = np.lexsort((-steps, np.repeat(np.arange(len(counts)), counts)))
    rank_of = np.empty(len(steps), dtype=np.int64)
    rank_of[order] = np.arange(len(steps)) - np.repeat(first[:-1], counts)  # right for one row a rank
    by_count = np.argsort(-counts, kind="stable")
    positions = np.arange(num_ranks, int(counts.max(initial=0)), dtype=np.int64)
    num_open = np.searchsorted(-counts[by_count], -positions)
    large = by_count[: num_open.max(initial=0)]
    if not len(large):
        return rank_of
    load = steps[order[first[large, None] + np.arange(num_ranks)]].reshape(-1)
    room = np.repeat(-(-counts[large] // num_ranks) - 1, num_ranks)
    for position, still in enumerate(num_open.tolist(), start=num_ranks):
        poorest = load[: still * num_ranks].reshape(still, num_ranks).argmin(axis=1)
        row = order[first[large[:still]] + position]
        rank_of[row] = poorest
        taker = num_ranks * np.arange(still, dtype=np.int64) + poorest
        room[taker] -= 1
        load[taker] = np.where(room[taker] > 0, load[taker] + steps[row], FULL)
    return rank_of


def check_rank(what: str, rank: object, num_ranks: object) -> None:
    """Raises PlanError where there is no such rank.

    Args:
        what: what it was given to, for the message.
        rank: which.
        num_ranks: of how many.
    """
    for name, number in (("rank", rank), ("num_ranks", num_ranks)):
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
            raise PlanError(f"{what}: {name} must be a whole number; got {number!r}.")
    if not 0 <= cast("int", rank) < cast("int", num_ranks):
        raise PlanError(f"{what}: rank must be one of 0 … num_ranks − 1; got rank {rank} of {num_ranks}.")


def _check_whole(plan: "Plan") -> None:
    if plan.num_ranks > 1:
        raise PlanError(f"shard: this is the share of rank {plan.rank} of {plan.num_ranks}; shard the whole plan.")


def _by_batch(plan: "Plan", num_ranks: int) -> tuple[Ints, Ints]:
    """Deals the rows of each batch anew; returns which row of all batches each span lies on, and the rank of each row."""
    rows = plan.column("rows")
    first = offsets_of(rows)
    place = first[plan.column("batch")] + plan.column("row")
    return place, deal(_steps_on(place, plan, int(first[-1])), rows, num_ranks)


def _steps_on(place: Ints, plan: "Plan", num_rows: int) -> Ints:
    return np.bincount(place, weights=plan.column("length"), minlength=num_rows).astype(np.int64)


def _numbered(rank_of: Ints) -> Ints:
    """Numbers the rows of each rank 0, 1, 2, ... in their order."""
    order = np.argsort(rank_of, kind="stable")
    counts = np.bincount(rank_of)
    numbers = np.empty_like(rank_of)
    numbers[order] = ranges(np.zeros_like(counts), counts)
    return numbers


def _with(table: pa.Table, **columns: Ints) -> pa.Table:
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return table
