"""A plan: one epoch as tables, made from lengths alone, before any data is read."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drystone.core import checks, plan_file
from drystone.core.arrow import one_chunk
from drystone.core.errors import DataError, PlanError
from drystone.core.grid import Spans
from drystone.core.lengths import Lengths
from drystone.core.plan_columns import BATCH_COLUMNS, SPAN_COLUMNS
from drystone.core.shares import share_of
from drystone.core.summary import Summary, summary_of


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Plan:
    """Where every step of every sequence lies, for one epoch.

    Args:
        table: the spans, in the order of batch, row and step: batch, row, step, sequence, offset, length.
        batches: one row a batch: rows, steps, update, cells, cost.
        dropped: what was left out: sequence, offset, length, reason.
        lengths: [sequences] the lengths that were planned.
        epoch: whose plan this is, counted from 0.
        max_cells: the budget of cells that every batch keeps to, or None.
        rank, num_ranks: whose share of the plan this is; 0 and 1 for the whole.

    Example:
        >>> from drystone import Padded
        >>> plan = Padded(batch_size=2, order="given").plan([3, 1, 2])
        >>> plan.table.to_pydict()["row"], plan.batches.to_pydict()["steps"]
        ([0, 1, 0], [3, 2])
        >>> plan.check()
        >>> plan
        Plan(2 batches, 3 sequences, 6 steps, 8 cells, 25.0% padding)
    """

    table: pa.Table
    batches: pa.Table
    dropped: pa.Table
    lengths: Lengths
    epoch: int = 0
    max_cells: int | None = None
    rank: int = 0
    num_ranks: int = 1

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

    @cached_property
    def num_sequences(self) -> int:
        """The sequences that the plan lays out."""
        return int(np.count_nonzero(self.column("offset") == 0))

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
        """Proves that the plan keeps the contract; of a share, that each sequence is whole in it or absent.

        Raises:
            PlanError: spans overlap or leave their grid, a step is missing or laid out twice, a span that goes
                on with a sequence does not continue the span before it on its row, or a batch is over its
                budget; the message names the place.
        """
        checks.check_plan(self)

    def shard(self, rank: int, num_ranks: int) -> "Plan":
        """Returns one rank's share: of every batch, about as many steps as every other rank has.

        The rows of each batch are split, never the batches: a share has all batches, each of
        ceil(rows / num_ranks) rows on every rank; rows that are missing hold nothing. Where a sequence goes on
        from span to span, a row belongs to one rank in all batches, and keeps its place there.

        Args:
            rank: 0 … num_ranks − 1.
            num_ranks: ≥ 1; there may be more ranks than rows.

        Returns:
            A plan whose `rank` and `num_ranks` say whose it is; lengths, dropped and the numbers of sequences
            are those of the whole.

        Raises:
            PlanError: there is no such rank, or this is a share already.

        Example:
            >>> from drystone import Padded
            >>> plan = Padded(batch_size=4, order="given").plan([9, 5, 4, 3])
            >>> [plan.shard(rank, num_ranks=2).column("sequence").tolist() for rank in range(2)]
            [[0, 3], [1, 2]]
        """
        return share_of(self, rank, num_ranks)

    def summary(self) -> Summary:
        """Returns the plan's figures; print them, or take them as a record."""
        return summary_of(self)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Writes the whole plan as one file, which appears only when it is whole.

        It is a zip archive of Parquet files (spans, batches, dropped, lengths), which other tools can read.

        Raises:
            DataError: the file exists and `overwrite` is false, or its folder does not exist.

        Example:
            >>> from drystone import Padded
            >>> Padded(batch_size=2).plan([3, 1, 2]).save("plan.zip")
            >>> Plan.load("plan.zip").num_sequences
            3
        """
        plan_file.save(self, Path(path), overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path) -> "Plan":
        """Reads a plan that `save` wrote.

        Raises:
            DataError: no such file, or it is damaged, of another kind or of a version to come.
        """
        loaded = cls(**plan_file.parts_of(Path(path)))
        try:
            checks.check_tables(loaded)
        except PlanError as error:
            raise DataError(f"{path} holds no plan that this drystone can use: {error}") from error
        return loaded

    def __repr__(self) -> str:
        share = f"rank {self.rank} of {self.num_ranks}: " if self.num_ranks > 1 else ""
        words = (
            f"{self.num_batches:,} batches, {self.num_sequences:,} sequences, {self.num_steps:,} steps, "
            f"{self.num_cells:,} cells, {self.padding_fraction:.1%} padding"
        )
        dropped = f", {np.asarray(self.dropped['length']).sum():,} steps dropped" if self.dropped.num_rows else ""
        return f"Plan({share}{words}{dropped})"

    def _repr_html_(self) -> str:
        return self.summary().to_html()
