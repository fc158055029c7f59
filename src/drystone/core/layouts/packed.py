"""Packed: whole sequences end to end on rows, with next to no padding."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from drystone import native
from drystone.core import shuffle as streams
from drystone.core.errors import LayoutError
from drystone.core.layouts.arguments import Order, Remainder, check_choice, check_positive, freeze
from drystone.core.layouts.base import Layout
from drystone.core.layouts.epoch import Epoch
from drystone.core.layouts.placement import Ints, Placement

Long = Literal["error", "stateful"]
ROW_MULTIPLE = 8


@dataclass(frozen=True, slots=True, repr=False)
class Packed(Layout):
    """Whole sequences end to end on rows; the state is reset where each one starts.

    Each batch takes the next sequences of the order and lays them by best fit, longest first (Johnson, "Near-optimal
    bin packing algorithms", 1973). Give `rows` and `steps`, and a batch takes what fits; or `sequences`, and the
    grid is made to fit them.

    Args:
        rows: rows a batch. Without `sequences` the last batch may have fewer; with it they are chosen by default.
        steps: steps a row. With `sequences` it may be left out: a batch then has the least steps that suffice.
        sequences: exactly this many sequences a batch (but for the last).
        order: "random" or "given": which sequences come together.
        remainder: whether the last batch is kept or dropped where it has fewer rows (or sequences) than the others.
        gap: invalid cells before each start inside a row, 0 or more; kernels that know no resets reset there.
        long: what becomes of a sequence longer than `steps`: "error", or "stateful": it goes on in the next batch,
            from column 0 of the same row. All batches then have all rows.
        constant_shape: whether all batches get the shape of the largest.
        row_multiple: rows that are chosen are a multiple of it, or fewer.

    Example:
        >>> plan = Packed(rows=2, steps=6).plan([3, 6, 2, 1])
        >>> plan.num_batches, plan.padding_fraction
        (1, 0.0)
    """

    rows: int | None = None
    steps: int | None = None
    sequences: int | None = None
    order: Order = "random"
    remainder: Remainder = "keep"
    gap: int = 0
    long: Long = "error"
    constant_shape: bool = False
    row_multiple: int = ROW_MULTIPLE

    def __post_init__(self) -> None:
        check_choice("Packed", "order", self.order, get_args(Order))
        check_choice("Packed", "remainder", self.remainder, get_args(Remainder))
        check_choice("Packed", "long", self.long, get_args(Long))
        given = {"rows": self.rows, "steps": self.steps, "sequences": self.sequences, "row_multiple": self.row_multiple}
        check_positive("Packed", **{name: number for name, number in given.items() if number is not None})
        check_positive("Packed", least=0, gap=self.gap)
        if self.sequences is None and (self.rows is None or self.steps is None):
            raise LayoutError("Packed: give rows= and steps=, or sequences=.")
        if self.sequences is not None and self.rows is not None and self.steps is not None:
            raise LayoutError("Packed: with sequences=, give rows= or steps=, not both; the other one is made to fit.")
        if self.sequences is not None and self.rows is not None and self.rows > self.sequences:
            raise LayoutError(f"Packed: {self.rows} rows for {self.sequences} sequences; some would always be empty.")
        if self.sequences is not None and self.long == "stateful":
            raise LayoutError('Packed: long="stateful" needs rows= and steps=, without sequences=.')
        if self.row_multiple != ROW_MULTIPLE and (self.rows or self.steps):
            raise LayoutError(
                "Packed: row_multiple= is for rows that are chosen: with sequences=, without rows=, steps=."
            )
        freeze(self, *given, "gap")

    @property
    def longest(self) -> int | None:
        """The steps of a row, where longer sequences do not go on."""
        return None if self.carries else self.steps

    @property
    def carries(self) -> bool:
        """Whether sequences longer than a row go on in the next batch."""
        return self.long == "stateful"

    def place(self, epoch: Epoch) -> Placement:
        """Lays batch after batch until no sequence is left."""
        return self._by_grid(epoch) if self.sequences is None else self._by_count(epoch, self.sequences)

    def _by_grid(self, epoch: Epoch) -> Placement:
        assert self.rows is not None
        assert self.steps is not None
        if len(epoch.carried) and epoch.carried.max() >= self.rows:
            raise LayoutError(f"Packed: carried names row {epoch.carried.max()}; there are {self.rows}.")
        order = epoch.order(self.order, streams.SEQUENCES)
        spans = native.fill_grids(epoch.lengths[order], self.rows, self.steps, self.gap, epoch.carried)
        used = _used_rows(*spans[:2])
        rows = np.full(len(used), self.rows)
        if not (self.carries or self.constant_shape):
            rows[-1] = used[-1]
        placed = Placement.of_items(spans, order, rows, np.full(len(rows), self.steps))
        full = used == self.rows
        return placed if self.remainder == "keep" or full.all() else placed.up_to(int(np.argmin(full)))

    def _by_count(self, epoch: Epoch, sequences: int) -> Placement:
        order = epoch.order(self.order, streams.SEQUENCES)
        lengths = epoch.lengths[order]
        given = self.rows or 0, self.steps or 0
        if self.constant_shape and given == (0, 0):
            given = self._shared_rows(lengths, sequences), 0
        spans, rows, steps = native.pack_groups(lengths, sequences, *given, self.gap, self.row_multiple)
        if self.constant_shape:
            rows[:], steps[:] = rows.max(), steps.max()
        placed = Placement.of_items(spans, order, rows, steps)
        whole, rest = divmod(len(order), sequences)
        return placed.up_to(whole) if self.remainder == "drop" and rest else placed

    def _shared_rows(self, lengths: Ints, sequences: int) -> int:
        """The rows that all batches share, where they are to be chosen."""
        cells = np.add.reduceat(lengths + self.gap, np.arange(0, len(lengths), sequences))
        return native.chosen_rows(int(cells.max()), int(lengths.max()) + self.gap, self.row_multiple)


def _used_rows(batch: Ints, row: Ints) -> Ints:
    """How many rows of each batch hold something."""
    is_new = np.append(True, (row[1:] != row[:-1]) | (batch[1:] != batch[:-1]))
    starts = np.searchsorted(batch, np.arange(int(batch[-1]) + 1))
    return np.add.reduceat(is_new, starts, dtype=np.int64)
