"""Where the sequences of a batch lie, as the index arrays that `BySequence` takes; plain NumPy."""

import numpy as np
import numpy.typing as npt

from drystone.core.errors import ShapeError
from drystone.core.grid import Grid
from drystone.core.whole import whole_sequences

NONE = -1
"""What fillers of `ends` and cells of no sequence hold."""


def ends_of(grid: Grid, num_ends: int) -> npt.NDArray[np.int32]:
    """Returns the cell of each sequence's last step, in the order of `grid.ends`: int32 [num_ends].

    Cells are numbered row × steps + step; places without a sequence come last and hold −1.

    Args:
        grid: `batch.grid`.
        num_ends: how many places there are, the same for all batches that are to have one shape.

    Raises:
        ShapeError: more sequences end in the grid.

    Example:
        >>> grid = Grid.from_masks(reset=[[True, False, True]], valid=[[True, True, True]])
        >>> ends_of(grid, 3)
        array([ 1,  2, -1], dtype=int32)
    """
    found = grid.ends
    if len(found) > num_ends:
        raise ShapeError(f"{len(found)} sequences end in this batch; num_ends={num_ends} has no place for all of them.")
    result = np.full(num_ends, NONE, dtype=np.int32)
    result[: len(found)] = found.row * grid.num_steps + found.step
    return result


def segment_of(grid: Grid) -> npt.NDArray[np.int32]:
    """Returns which place of `grid.ends` the sequence in each cell has: int32 [rows, steps], −1 where there is none.

    Args:
        grid: `batch.grid`.

    Raises:
        ShapeError: a sequence that does not lie whole in the grid.

    Example:
        >>> grid = Grid.from_masks(reset=[[True, False, True, False]], valid=[[True, True, True, False]])
        >>> segment_of(grid)
        array([[ 0,  0,  1, -1]], dtype=int32)
    """
    whole_sequences(grid, "gathering all steps by sequence")
    spans = grid.spans
    place = np.cumsum(spans.is_last) - spans.is_last
    result = np.full((grid.num_rows, grid.num_steps), NONE, dtype=np.int32)
    result.reshape(-1)[grid.cells] = np.repeat(place, spans.length)
    return result
