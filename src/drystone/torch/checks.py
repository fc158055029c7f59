"""Checks of what an LSTM is called with, before any kernel runs."""

import numpy as np
import torch
from torch import Tensor

from drystone.core.errors import ShapeError
from drystone.core.grid import Bools, Grid


def check_input(x: Tensor, features: int, weight: Tensor, grid: Grid, *, batch_first: bool) -> None:
    """Raises ShapeError where x does not fit the grid or the weights."""
    rows_steps = (grid.num_rows, grid.num_steps) if batch_first else (grid.num_steps, grid.num_rows)
    expected = (*rows_steps, features)
    if tuple(x.shape) != expected:
        raise ShapeError(f"x has shape {tuple(x.shape)}; expected {expected}, from the masks and the features.")
    if x.dtype != weight.dtype or x.device != weight.device:
        raise ShapeError(
            f"x is {x.dtype} on {x.device} and the weights are {weight.dtype} on {weight.device}; "
            f"convert one of them, with x.to(...) or lstm.to(...)."
        )


def check_state(state: tuple[Tensor, Tensor] | None, shape: tuple[int, int, int], x: Tensor) -> None:
    """Raises ShapeError where h or c does not fit."""
    if state is not None and (not isinstance(state, tuple) or len(state) != 2):
        raise ShapeError("state must be a tuple of two tensors, h and c, as the LSTM returns it.")
    for name, part in zip("hc", state or (), strict=False):
        if tuple(part.shape) != shape:
            raise ShapeError(
                f"{name} of the state has shape {tuple(part.shape)}; expected {shape}: layers × directions, rows, hidden."
            )
        if part.dtype != x.dtype or part.device != x.device:
            raise ShapeError(f"{name} of the state is {part.dtype} on {part.device}; x is {x.dtype} on {x.device}.")


@torch.compiler.disable  # masks are read on the host, which a compiled graph cannot do
def grid_of_masks(x: Tensor, reset: Tensor | None, valid: Tensor | None, *, batch_first: bool) -> Grid:
    """Returns the grid that raw masks describe; without a mask all cells are valid and none resets."""
    if not isinstance(x, Tensor):
        raise ShapeError(f"x is a {type(x).__name__}; pass a tensor. Packed sequences need pad_packed_sequence first.")
    if x.ndim != 3 or not x.shape[1] or not x.shape[0]:
        raise ShapeError(f"x has shape {tuple(x.shape)}; expected [rows, steps, features], at least one of each.")
    return Grid.from_masks(
        reset=_host("reset", reset, x, default=False, batch_first=batch_first),
        valid=_host("valid", valid, x, default=True, batch_first=batch_first),
    )


def _host(name: str, mask: Tensor | None, x: Tensor, *, default: bool, batch_first: bool) -> Bools:
    if mask is None:
        found = np.full(tuple(x.shape[:2]), default)
    elif not isinstance(mask, Tensor):
        raise ShapeError(f"{name} is a {type(mask).__name__}; pass a torch.bool tensor.")
    elif mask.dtype != torch.bool or mask.shape != x.shape[:2]:
        raise ShapeError(
            f"{name} is {mask.dtype} of shape {tuple(mask.shape)}; expected torch.bool of shape {tuple(x.shape[:2])}."
        )
    else:
        found = mask.cpu().numpy()
    return found if batch_first else found.T
