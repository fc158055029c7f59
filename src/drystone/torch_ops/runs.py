"""The runs of a grid: consecutive valid cells of one sequence, for a kernel that starts and ends each where it likes."""

from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from drystone.torch_ops.arrangement import Bools, RowsOfCells


class Runs(NamedTuple):
    """Which cells follow one another; tensors on the host.

    Valid cells are numbered anew, row after row; `places` leads from there to the grid, row × steps + step.
    """

    places: Tensor | None  # int64 [valid cells]; None where all are valid
    starts: Tensor  # int64 [runs + 1]: the first valid cell of each run, and their number
    rows: Tensor  # int64 [runs]: the row whose passed-in state a run starts from, −1 where it starts from zeros
    last: Tensor  # int64 [rows]: the last valid cell of each row, 0 where it has none
    has_cells: Tensor | None  # bool [rows, 1]; None where all rows have valid cells
    clears: Tensor | None  # bool [rows, 1]: the passed-in state is zeroed on the way; None where it never matters
    clears_at_end: Tensor | None  # bool [rows, 1]: a state is zeroed after the last valid cell; None where none is

    @classmethod
    def of(cls, valid: Bools, reset: Bools) -> Self:
        """Finds the runs of host masks [rows, steps]."""
        cells = RowsOfCells.of(valid, reset)
        opens = cells.is_first | cells.is_zeroed
        starts = np.flatnonzero(opens)
        row = cells.row[starts]
        from_state = cells.is_first[starts] & ~cells.clears[row]
        last = np.full(len(valid), -1)
        last[cells.row] = np.arange(len(cells.row))
        has_cells = last >= 0
        return cls(
            places=None if valid.all() else torch.from_numpy(cells.cell),
            starts=torch.from_numpy(np.append(starts, len(cells.cell))),
            rows=torch.from_numpy(np.where(from_state, row, -1)),
            last=torch.from_numpy(np.maximum(last, 0)),
            has_cells=None if has_cells.all() else torch.from_numpy(has_cells[:, None]),
            clears=None if has_cells.all() else torch.from_numpy(cells.clears[:, None]),
            clears_at_end=torch.from_numpy(cells.clears_at_end[:, None]) if cells.clears_at_end.any() else None,
        )

    @classmethod
    def none(cls, num_rows: int, num_steps: int) -> "Runs":
        """Returns one run a row, over all its cells."""
        return _whole_rows(num_rows, num_steps) if not torch.compiler.is_compiling() else cls._made(num_rows, num_steps)

    @classmethod
    def _made(cls, num_rows: int, num_steps: int) -> Self:
        starts = torch.arange(0, (num_rows + 1) * num_steps, num_steps, device="cpu")
        return cls(
            places=None,
            starts=starts,
            rows=torch.arange(num_rows, device="cpu"),
            last=starts[1:] - 1,
            has_cells=None,
            clears=None,
            clears_at_end=None,
        )

    def after(self, found: Tensor, before: Tensor | None) -> Tensor:
        """Returns the state after each row's last valid cell, in memory of its own.

        Args:
            found: the state after every valid cell, [valid cells, units].
            before: the state that rows start from, [rows, units]; None for zeros.
        """
        if self.has_cells is None:
            state = found.index_select(0, self.last)
        else:
            state = found.new_zeros(len(self.last), found.shape[1]) if before is None else before
            state = torch.where(self.clears, 0.0, state) if self.clears is not None else state
            if len(found):
                state = torch.where(self.has_cells, found.index_select(0, self.last), state)
        return state if self.clears_at_end is None else torch.where(self.clears_at_end, 0.0, state)


@lru_cache(maxsize=64)
def _whole_rows(num_rows: int, num_steps: int) -> Runs:
    """A step of a stream takes less time than the four tensors would; nobody writes to them."""
    with torch.inference_mode(mode=False):  # such tensors would serve nowhere else
        return Runs._made(num_rows, num_steps)
