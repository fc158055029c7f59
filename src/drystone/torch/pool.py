"""One vector a sequence, from the outputs at its steps."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from drystone.core.errors import ShapeError
from drystone.core.grid import Grid


def pool(
    output: Float[Tensor, "rows steps units"], grid: Grid, how: Literal["mean", "max"]
) -> Float[Tensor, "sequences units"]:
    """Returns the mean or maximum over all steps of each sequence, in the order of `grid.ends`.

    Args:
        output: [rows, steps, units], such as the output of an LSTM with batch_first=True.
        grid: `batch.grid`.
        how: "mean" or "max".

    Raises:
        ShapeError: an output of another shape, or a sequence that spans several batches, so that not all of its steps are here.

    Example:
        >>> grid = Grid.from_masks(reset=[[True, False, True]], valid=[[True, True, True]])
        >>> pool(torch.tensor([[[1.0], [3.0], [5.0]]]), grid, "mean").tolist()
        [[2.0], [5.0]]
    """
    if how not in ("mean", "max"):
        raise ShapeError(f"how must be 'mean' or 'max'; got {how!r}.")
    if tuple(output.shape[:2]) != (grid.num_rows, grid.num_steps):
        raise ShapeError(
            f"output has shape {tuple(output.shape)}; expected [{grid.num_rows} rows, {grid.num_steps} steps, ...]. "
            f"With batch_first=False, transpose it first."
        )
    if not grid.is_whole:
        raise ShapeError("a pool over all steps needs every sequence whole in one batch; use the last output instead.")
    lengths = torch.from_numpy(grid.spans.length).to(output.device)
    values = output.flatten(0, 1)[torch.from_numpy(grid.cells).to(output.device)]
    return torch.segment_reduce(values, how, lengths=lengths, axis=0, unsafe=True)
