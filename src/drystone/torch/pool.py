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
        output: a value a cell, such as the output of an LSTM.
        grid: `batch.grid`.
        how: "mean" or "max".

    Raises:
        ShapeError: a sequence that spans several batches, so that not all of its steps are here.

    Example:
        >>> grid = Grid.from_masks(reset=[[True, False, True]], valid=[[True, True, True]])
        >>> pool(torch.tensor([[[1.0], [3.0], [5.0]]]), grid, "mean").tolist()
        [[2.0], [5.0]]
    """
    if not grid.is_whole:
        raise ShapeError("a pool over all steps needs every sequence whole in one batch; use the last output instead.")
    lengths = torch.from_numpy(grid.spans.length).to(output.device)
    values = output.flatten(0, 1)[torch.from_numpy(grid.cells).to(output.device)]
    return torch.segment_reduce(values, how, lengths=lengths, axis=0, unsafe=True)
