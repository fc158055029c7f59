"""What a layout returns: where sequences lie, and the plan that this makes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drystone.core.lengths import Lengths, offsets_of
from drystone.core.plan import Plan
from drystone.core.plan_columns import BATCH_COLUMNS, SPAN_COLUMNS

Ints = npt.NDArray[np.int64]
Spans = tuple[Ints, Ints, Ints, Ints, Ints, Ints]  # batch, row, step, place in an order, offset, length
NO_INTS: Ints = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placement:
    """Where sequences lie: one entry a span, one entry a batch, and what was left out.

    Args:
        batch, row, step, sequence: [spans], in the order of batch, row and step.
        offset, length: [spans] which steps of the sequence.
        rows, steps: [batches] the shape of each batch.
        cost: [batches], whole numbers; its cells by default.
        dropped: sequences left out ...
        dropped_from: ... from this step on.
        max_cells: the budget that every batch keeps to, or None.
    """

    batch: Ints
    row: Ints
    step: Ints
    sequence: Ints
    offset: Ints
    length: Ints
    rows: Ints
    steps: Ints
    cost: Ints | None = None
    dropped: Ints = field(default_factory=lambda: NO_INTS)
    dropped_from: Ints = field(default_factory=lambda: NO_INTS)
    max_cells: int | None = None

    @classmethod
    def one_a_row(cls, sequence: Ints, lengths: Lengths, rows: Ints, **rest: Any) -> Self:
        """Lays one sequence a row, whole, from column 0.

        Args:
            sequence: [sequences], batch after batch.
            lengths: [sequences], of each.
            rows: [batches], of each batch.
            rest: `steps`, where it is not the longest of the batch, and what else there is.
        """
        starts = offsets_of(rows)[:-1]
        zeros = np.zeros(len(sequence), np.int64)
        row = np.ones(len(sequence), np.int64)  # counts up within a batch, and back to 0 at the next
        row[starts] = 1 - np.append(1, rows[:-1])[: len(rows)]
        np.cumsum(row, out=row)
        rest.setdefault("steps", np.maximum.reduceat(lengths, starts) if len(starts) else NO_INTS)
        batch = np.repeat(np.arange(len(rows)), rows)
        places = {"batch": batch, "row": row, "step": zeros, "offset": zeros}
        return cls(sequence=sequence, length=lengths, rows=rows, **places, **rest)

    @classmethod
    def of_items(cls, spans: Spans, order: Ints, rows: Ints, steps: Ints) -> Self:
        """Lays sequences where the native core laid them, by their places in an order.

        Args:
            spans: batch, row, step, place in the order, offset and length of each span.
            order: [sequences] the sequences, in the order in which they were laid.
            rows: [batches].
            steps: [batches].
        """
        batch, row, step, item, offset, length = spans
        return cls(
            batch=batch,
            row=row,
            step=step,
            sequence=order[item],
            offset=offset,
            length=length,
            rows=rows,
            steps=steps,
        )

    def up_to(self, batch: int) -> Self:
        """Drops this batch and all behind it."""
        kept = int(np.searchsorted(self.batch, batch))
        order = np.lexsort((self.offset[kept:], self.sequence[kept:]))
        sequence, offset = self.sequence[kept:][order], self.offset[kept:][order]
        first = np.append(True, sequence[1:] != sequence[:-1])[: len(sequence)]
        spans = {name: getattr(self, name)[:kept] for name in SPAN_COLUMNS}
        return replace(
            self,
            **spans,
            rows=self.rows[:batch],
            steps=self.steps[:batch],
            dropped=sequence[first],
            dropped_from=offset[first],
        )


def plan_of(placed: Placement, lengths: Lengths, epoch: int) -> Plan:
    """Returns the plan that a placement makes of an epoch."""
    cells = placed.rows * placed.steps
    cost = cells if placed.cost is None else placed.cost
    batches = (placed.rows, placed.steps, np.arange(len(cells)), cells, cost)
    dropped = {
        "sequence": placed.dropped,
        "offset": placed.dropped_from,
        "length": lengths[placed.dropped] - placed.dropped_from,
        "reason": pa.array(["remainder"] * len(placed.dropped), pa.string()),
    }
    return Plan(
        table=_table(SPAN_COLUMNS, [getattr(placed, name) for name in SPAN_COLUMNS]),
        batches=_table(BATCH_COLUMNS, batches),
        dropped=pa.table(dropped),
        lengths=lengths,
        epoch=epoch,
        max_cells=placed.max_cells,
    )


def _table(names: Sequence[str], columns: Sequence[Ints]) -> pa.Table:
    return pa.Table.from_arrays([pa.array(column) for column in columns], names=list(names))
