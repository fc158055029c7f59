"""The steps of a call as full grids: rows that end leave, so that no cell is padding."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

MAX_CELLS = 2**16
"""The most cells of one call of the model: it bounds the memory, and is far above what keeps the cores busy."""


class Piece(NamedTuple):
    """Steps first_step … stop_step − 1 of rows first_row … stop_row − 1."""

    first_row: int
    stop_row: int
    first_step: int
    stop_step: int

    @property
    def num_rows(self) -> int:
        return self.stop_row - self.first_row

    @property
    def num_steps(self) -> int:
        return self.stop_step - self.first_step


def pieces(num_steps: npt.NDArray[np.int64], max_cells: int = MAX_CELLS) -> Iterator[Piece]:
    """Yields grids without padding that hold all steps of all rows, the steps of each row in order.

    A grid ends where the next row does, so there are no more of them than distinct numbers of steps, and as many
    steps one after another as the longest row has: no grouping into padded grids has fewer.

    Args:
        num_steps: of each row, falling.
        max_cells: the most rows × steps of a grid.

    Example:
        >>> [tuple(piece) for piece in pieces(np.array([5, 2, 2]), max_cells=6)]
        [(0, 3, 0, 2), (0, 1, 2, 5)]
    """
    first = 0
    last_rows = np.flatnonzero(np.diff(num_steps, append=0))[::-1]  # of each number of steps, the fewest first
    for num_rows, stop in zip((last_rows + 1).tolist(), num_steps[last_rows].tolist(), strict=True):
        most_steps = max(max_cells // num_rows, 1)
        for step in range(first, stop, most_steps):
            for row in range(0, num_rows, max_cells):
                yield Piece(row, min(row + max_cells, num_rows), step, min(step + most_steps, stop))
        first = stop
