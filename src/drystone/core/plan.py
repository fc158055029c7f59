"""A plan: one epoch as tables, made from lengths alone, before any data is read."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from drystone.core import checks
from drystone.core.arrow import one_chunk
from drystone.core.grid import Spans
from drystone.core.lengths import Lengths
from drystone.core.storage import whole_file

SPAN_COLUMNS = ("batch", "row", "step", "sequence", "offset", "length")
BATCH_COLUMNS = ("rows", "steps", "update", "cells", "cost")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Plan:
    """Where every step of every sequence lies, for one epoch.

    Args:
        table: the spans, in the order of batch, row and step: batch, row, step, sequence, offset, length.
        batches: one row a batch: rows, steps, update, cells, cost.
        dropped: what was left out: sequence, offset, length, reason.
        lengths: [sequences] the lengths that were planned.
        max_cells: the budget of cells that every batch keeps to, or None.

    Example:
        >>> from drystone import Padded
        >>> plan = Padded(batch_size=2, order="given").plan([3, 1, 2])
        >>> plan.table.to_pydict()["row"], plan.batches.to_pydict()["steps"]
        ([0, 1, 0], [3, 2])
        >>> plan.check()
        >>> print(plan.summary())
        2 batches of 3 sequences and 6 steps; 8 cells, 25.0% padding; 2 distinct shapes, largest 2 × 3
    """

    table: pa.Table
    batches: pa.Table
    dropped: pa.Table
    lengths: Lengths
    max_cells: int | None = None

    @property
    def num_batches(self) -> int:
        return self.batches.num_rows

    @cached_property
    def num_cells(self) -> int:
        """The cells of all batches together, padding included."""
        return int(self.column("cells").sum())

    @cached_property
    def num_steps(self) -> int:
        """The real steps that the plan lays out."""
        return int(self.column("length").sum())

    @property
    def padding_fraction(self) -> float:
        """The fraction of all cells that hold no real step, 0 … 1."""
        return 1.0 - self.num_steps / self.num_cells if self.num_cells else 0.0

    def column(self, name: str) -> npt.NDArray[np.int64]:
        """Returns a column of `table` or `batches` as an array, without a copy."""
        return self._columns[name]

    @cached_property
    def _columns(self) -> dict[str, npt.NDArray[np.int64]]:
        tables = ((self.table, SPAN_COLUMNS), (self.batches, BATCH_COLUMNS))
        return {name: np.asarray(one_chunk(table[name])) for table, names in tables for name in names}

    def shape(self, batch: int) -> tuple[int, int]:
        """Returns the rows and steps of a batch."""
        return int(self.column("rows")[batch]), int(self.column("steps")[batch])

    def spans(self, batch: int) -> Spans:
        """Returns the spans of a batch, in row-major order."""
        start, stop = (int(bound) for bound in self._bounds[batch : batch + 2])
        row, step, sequence, offset, length = (self.column(name)[start:stop] for name in SPAN_COLUMNS[1:])
        return Spans(
            row=row.copy(),
            start=step.copy(),
            stop=step + length,
            sequence=sequence.copy(),
            offset=offset.copy(),
            is_first=offset == 0,
            is_last=offset + length == self.lengths[sequence],
        )

    @cached_property
    def _bounds(self) -> npt.NDArray[np.int64]:
        return np.searchsorted(self.column("batch"), np.arange(self.num_batches + 1)).astype(np.int64)

    def check(self) -> None:
        """Proves that the plan keeps the contract.

        Raises:
            PlanError: spans overlap or leave their grid, a step is missing or laid out twice, a continued
                sequence does not follow on in its row, or a batch is over its budget; the message names the place.
        """
        checks.check_plan(self)

    def summary(self) -> str:
        """Returns the plan's figures in words."""
        shapes = set(zip(self.column("rows").tolist(), self.column("steps").tolist(), strict=True))
        rows, steps = max(shapes, key=lambda shape: shape[0] * shape[1], default=(0, 0))
        placed = len(np.unique(self.column("sequence")))
        words = (
            f"{self.num_batches:,} batches of {placed:,} sequences and {self.num_steps:,} steps; "
            f"{self.num_cells:,} cells, {self.padding_fraction:.1%} padding; "
            f"{len(shapes):,} distinct shapes, largest {rows} × {steps}"
        )
        if self.dropped.num_rows:
            steps = int(np.asarray(self.dropped["length"]).sum())
            words += f"; {self.dropped.num_rows:,} spans ({steps:,} steps) dropped"
        return words

    def save(self, path: str | Path) -> None:
        """Writes the span table as one Parquet file, which appears only when it is whole."""
        with whole_file(Path(path)) as partial:
            pq.write_table(self.table, partial)

    def __repr__(self) -> str:
        return f"Plan({self.summary()})"
