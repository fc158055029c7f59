"""What lies on a grid, gathered by sequence."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int64, Shaped
from torch import Tensor

from drystone.core.grid import Grid
from drystone.core.whole import whole_sequences
from drystone.torch.checks import check_on_grid
from drystone.torch_ops.arrangement import to_device


class BySequence(NamedTuple):
    """Values by sequence, in the order of `grid.ends`."""

    values: Shaped[Tensor, "sequences steps *shape"]
    """Each sequence from column 0 on, padded with 0 to the longest."""
    valid: Bool[Tensor, "sequences steps"]
    """Where there is a step; on the device of the values."""
    lengths: Int64[Tensor, " sequences"]
    """The steps of each; on the host, as `pack_padded_sequence` takes them."""


def by_sequence(values: Shaped[Tensor, "rows steps *shape"], grid: Grid) -> BySequence:
    """Returns a tensor of a grid with one sequence a row, however the grid holds them: what packing did, undone.

    Invalid cells between the spans of a sequence are left out. The device is never waited for.

    Args:
        values: [rows, steps, ...] of any type: outputs, inputs, masks, targets.
        grid: `batch.grid`.

    Raises:
        ShapeError: values of another shape, or a sequence that spans several batches.

    Example:
        >>> grid = Grid.from_masks(reset=[[True, False, True]], valid=[[True, True, True]])
        >>> found = by_sequence(torch.tensor([[[1.0], [3.0], [5.0]]]), grid)
        >>> found.values[..., 0].tolist(), found.lengths.tolist()
        ([[1.0, 3.0], [5.0, 0.0]], [2, 1])
    """
    check_on_grid("values", tuple(values.shape), grid)
    cells, places, valid, lengths = _places(grid, values.device)  # pyright: ignore[reportCallIssue]
    taken = values.flatten(0, 1).index_select(0, cells)
    laid = taken.new_zeros(valid.numel(), *taken.shape[1:]).index_copy(0, places, taken)
    return BySequence(laid.unflatten(0, tuple(valid.shape)), valid, lengths)


@torch.compiler.disable  # the compiler would trace NumPy
def _places(grid: Grid, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    length = whole_sequences(grid, "gathering by sequence").length
    valid = np.arange(length.max(initial=0)) < length[:, None]
    cells, places = to_device(grid.cells, device), to_device(np.flatnonzero(valid), device)
    return cells, places, to_device(valid, device), torch.from_numpy(length)
