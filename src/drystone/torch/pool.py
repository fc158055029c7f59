"""One vector a sequence, from the outputs at its steps."""

from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from drystone.core.errors import ShapeError
from drystone.core.grid import Grid
from drystone.core.whole import whole_sequences
from drystone.torch.checks import check_on_grid
from drystone.torch_ops.arrangement import to_device

How = Literal["last", "mean", "max", "sum"]


def pool(
    output: Float[Tensor, "rows steps units"],
    grid: Grid,
    how: How,
    *,
    scored: Bool[Tensor, "rows steps"] | None = None,
    bidirectional: bool = False,
) -> Float[Tensor, "sequences units"]:
    """Returns one vector for each sequence that ends in the grid, in the order of `grid.ends`.

    The device is never waited for. Sums and means of half-precision outputs are taken in float32. Where several
    steps share the maximum, they share its gradient evenly, as in `torch.amax`.

    Args:
        output: [rows, steps, units], such as the output of an LSTM with batch_first=True.
        grid: `batch.grid`.
        how: "mean", "max" or "sum" over the steps of each sequence; or "last": the output at its last step and,
            of a bidirectional output, the backward half at its first step, where that direction ends.
        scored: bool [rows, steps], such as `batch.scored`: only these of the valid steps count in a mean, a maximum
            or a sum. A sequence without any gets 0, and passes no gradient on.
        bidirectional: for "last": whether the second half of the units ran backward.

    Raises:
        ShapeError: an output or a mask of another shape or type, `scored` with "last", or a sequence that spans
            several batches, so that not all of its steps are here; "last" of one direction takes that where it ends.

    Example:
        >>> grid = Grid.from_masks(reset=[[True, False, True]], valid=[[True, True, True]])
        >>> output = torch.tensor([[[1.0], [3.0], [5.0]]])
        >>> pool(output, grid, "mean").tolist()
        [[2.0], [5.0]]
        >>> pool(output, grid, "mean", scored=torch.tensor([[False, True, True]])).tolist()
        [[3.0], [5.0]]
    """
    _check(output, grid, how, scored)
    cells = output.flatten(0, 1)
    if how == "last":
        return _last(cells, grid, output.device, bidirectional=bidirectional)
    steps = _steps(grid, f"a {how} over all steps", output.device)  # pyright: ignore[reportCallIssue]
    values = cells.index_select(0, steps.cell)
    if how != "max" and values.element_size() < 4:
        values = values.float()
    if scored is None:
        pooled = _reduced(values, how, steps.length)
    else:
        pooled = _over_scored(values, how, steps.length, scored.flatten().index_select(0, steps.cell))
    return pooled.to(output.dtype)


class _Steps(NamedTuple):
    """On the device: the cells of all sequences, one after the other, and how many each has."""

    cell: Tensor
    length: Tensor


@torch.compiler.disable  # the compiler would trace NumPy
def _steps(grid: Grid, what: str, device: torch.device) -> _Steps:
    whole = whole_sequences(grid, what)
    return _Steps(to_device(grid.cells, device), to_device(whole.length, device))


def _last(cells: Tensor, grid: Grid, device: torch.device, *, bidirectional: bool) -> Tensor:
    if not bidirectional:
        return cells.index_select(0, _ends(grid, device))  # pyright: ignore[reportCallIssue]
    if cells.shape[1] % 2:
        raise ShapeError(f"output has {cells.shape[1]} units; of two directions it has as many of each.")
    first, last = _both_ends(grid, device)  # pyright: ignore[reportCallIssue]
    forward, backward = cells.chunk(2, dim=1)
    return torch.cat([forward.index_select(0, last), backward.index_select(0, first)], dim=1)


@torch.compiler.disable
def _ends(grid: Grid, device: torch.device) -> Tensor:
    return to_device(grid.ends.row * grid.num_steps + grid.ends.step, device)


@torch.compiler.disable
def _both_ends(grid: Grid, device: torch.device) -> tuple[Tensor, Tensor]:
    whole = whole_sequences(grid, "the last output of a backward direction")
    return to_device(whole.first_cell, device), to_device(whole.last_cell, device)


def _over_scored(values: Tensor, how: How, length: Tensor, scored: Tensor) -> Tensor:
    """Reduces the scored steps; `where`, not multiplication, keeps NaN of other steps out."""
    count = _reduced(scored[:, None].to(torch.float32), "sum", length)
    if how == "max":
        highest = _reduced(torch.where(scored[:, None], values, -np.inf), "max", length)
        return torch.where(count > 0, highest, 0.0)
    total = _reduced(torch.where(scored[:, None], values, 0.0), "sum", length)
    return total if how == "sum" else total / count.clamp(min=1).to(total.dtype)


def _reduced(values: Tensor, how: How, length: Tensor) -> Tensor:
    # Unlike index_add and scatter_reduce it adds in one order on every device, so that runs repeat to the bit.
    return torch.segment_reduce(values, how, lengths=length, axis=0, unsafe=True)


def _check(output: Tensor, grid: Grid, how: str, scored: Tensor | None) -> None:
    if how not in get_args(How):
        raise ShapeError(f"how must be one of {', '.join(get_args(How))}; got {how!r}.")
    if not output.is_floating_point() or output.ndim != 3:
        raise ShapeError(
            f"output is {output.dtype} of shape {tuple(output.shape)}; expected floating-point [rows, steps, units]."
        )
    check_on_grid("output", tuple(output.shape), grid)
    if scored is None:
        return
    if how == "last":
        raise ShapeError('how="last" reads the ends of sequences, scored or not; leave scored out.')
    if scored.dtype != torch.bool or scored.shape != output.shape[:2] or scored.device != output.device:
        raise ShapeError(
            f"scored is {scored.dtype} of shape {tuple(scored.shape)} on {scored.device}; expected torch.bool of shape "
            f"{tuple(output.shape[:2])} on {output.device}."
        )
