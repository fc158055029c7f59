"""Fills the grid of a batch: it gathers spans into arrays and chooses nothing."""

from collections.abc import Collection

import numpy as np

from drystone.core.batch import Batch, Values
from drystone.core.column import Column
from drystone.core.errors import DataError
from drystone.core.grid import Grid, Ints
from drystone.core.plan import Plan
from drystone.core.scored import ahead_fields, scored_mask
from drystone.core.sequences import Sequences


def collate(seqs: Sequences, plan: Plan, index: int, *, fields: Collection[str] | None = None) -> Batch:
    """Returns batch number `index` of the plan; the same arguments give the same batch.

    Args:
        seqs: the sequences that were planned.
        plan: where their steps lie.
        index: 0 … plan.num_batches − 1.
        fields: the fields to gather; all of them by default.

    Raises:
        DataError: no such field, or a plan of other lengths.
        IndexError: no such batch.

    Example:
        >>> from drystone import Packed
        >>> seqs = Sequences.from_arrays(per_step={"x": [[1, 2, 3], [4], [5, 6]]}, per_sequence={"y": [10, 20, 30]})
        >>> plan = Packed(rows=2, steps=3, order="given").plan(seqs.lengths)
        >>> batch = collate(seqs, plan, 0)
        >>> batch["x"].tolist(), batch["y"].tolist(), batch.reset.tolist()
        ([[1, 2, 3], [5, 6, 4]], [10, 30, 20], [[True, False, False], [True, False, True]])
    """
    if not 0 <= index < plan.num_batches:
        raise IndexError(f"there is no batch {index}; the plan has {plan.num_batches}.")
    if len(seqs) != len(plan.lengths):
        raise DataError(f"the plan is for {len(plan.lengths)} sequences; got {len(seqs)}.")
    wanted = known_fields(seqs, fields)
    grid = Grid.from_spans(*plan.shape(index), plan.spans(index))
    _check_lengths(seqs, plan, grid.spans.sequence)
    return fill(seqs, grid, grid.spans.sequence, grid.spans.offset, wanted, epoch=plan.epoch)


def fill(seqs: Sequences, grid: Grid, which: Ints, offset: Ints, fields: Collection[str], *, epoch: int) -> Batch:
    """Fills a grid: span i shows the steps of sequence which[i] of `seqs` from offset[i] on.

    Args:
        seqs: the sequences that hold the values; the spans may call them by other numbers.
        grid: what lies where.
        which: [spans] the sequences of `seqs`.
        offset: [spans] the first step of each that is shown.
        fields: the fields to gather.
        epoch: the pass over the data that the batch belongs to.
    """
    starts = seqs.starts[which] + offset
    return Batch(
        grid=grid,
        step_fields={
            name: _gather(column, starts, grid) for name, column in seqs.step_columns.items() if name in fields
        }
        | ahead_fields(seqs, grid, which, offset, fields),
        span_fields={
            name: column.take(seqs.rows[which]) for name, column in seqs.sequence_columns.items() if name in fields
        },
        scored=scored_mask(seqs, grid, which, offset),
        epoch=epoch,
    )


def _check_lengths(seqs: Sequences, plan: Plan, sequence: Ints) -> None:
    differs = seqs.lengths[sequence] != plan.lengths[sequence]
    if differs.any():
        at = sequence[np.argmax(differs)]
        raise DataError(
            f"the plan is for other sequences: {at} has {seqs.lengths[at]} steps, planned {plan.lengths[at]}."
        )


def _gather(column: Column, starts: Ints, grid: Grid) -> Values:
    flat = column.gather(starts, grid.first_cells, grid.spans.length, grid.num_rows * grid.num_steps)
    return flat.reshape(grid.num_rows, grid.num_steps, *column.item_shape)


def known_fields(seqs: Sequences, fields: Collection[str] | None) -> Collection[str]:
    """Returns the names of fields, all by default; raises DataError where there is no such field."""
    if fields is None:
        return seqs.field_names
    for name in fields:
        seqs.field(name)
    return fields
