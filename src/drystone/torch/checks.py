"""Checks of what an LSTM is called with, before any kernel runs."""

import torch
from torch import Tensor

from drystone.core.errors import ShapeError
from drystone.core.grid import Grid
from drystone.torch.precision import is_autocast


def check_tensor(x: object) -> None:
    """Raises ShapeError where x is no tensor of rows of steps, or of the steps of one sequence."""
    if not isinstance(x, Tensor):
        raise ShapeError(f"x is a {type(x).__name__}; pass a tensor or a PackedSequence.")
    if x.ndim not in (2, 3) or 0 in x.shape[:-1]:
        raise ShapeError(
            f"x has shape {tuple(x.shape)}; expected [rows, steps, features], at least one of each, "
            f"or [steps, features] of one sequence."
        )


def check_grid(grid: object) -> None:
    """Raises ShapeError where what should be a batch's grid is none, such as the batch itself."""
    if not isinstance(grid, Grid):
        raise ShapeError(f"grid is a {type(grid).__name__}; pass the grid of a batch: batch.grid.")


def check_ids(ids: object, vectors: Tensor) -> Tensor:
    """Returns the ids, or raises ShapeError where they are none, or have no vector."""
    if not isinstance(ids, Tensor) or ids.dtype not in (torch.int64, torch.int32) or ids.ndim != 2:
        found = f"{ids.dtype} of shape {tuple(ids.shape)}" if isinstance(ids, Tensor) else f"a {type(ids).__name__}"
        raise ShapeError(f"x is {found}; with vectors, expected torch.int64 of shape [rows, steps].")
    if vectors.ndim != 2 or vectors.device != ids.device:
        raise ShapeError(
            f"vectors have shape {tuple(vectors.shape)} on {vectors.device}; expected [vectors, features] on "
            f"{ids.device}, where x is."
        )
    if ids.device.type == "cpu" and not torch.compiler.is_compiling():  # a GPU would have to be waited for
        wrong = ids[(ids < 0) | (ids >= len(vectors))]
        if len(wrong):
            raise ShapeError(f"x holds the id {int(wrong[0])}; there are vectors 0 … {len(vectors) - 1}.")
    return ids.long()


def check_input(x: Tensor, expected: tuple[int, ...], weight: Tensor) -> None:
    """Raises ShapeError where x does not fit the grid or the weights; autocast converts any floating-point type."""
    if tuple(x.shape) != expected:
        raise ShapeError(f"x has shape {tuple(x.shape)}; expected {expected}, from the masks and the features.")
    if (x.dtype != weight.dtype and not _is_converted(x)) or x.device != weight.device:
        raise ShapeError(
            f"x is {x.dtype} on {x.device} and the weights are {weight.dtype} on {weight.device}; "
            f"convert one of them, with x.to(...) or lstm.to(...)."
        )


def _is_converted(x: Tensor) -> bool:
    return x.is_floating_point() and is_autocast(x.device)


def check_on_grid(name: str, shape: tuple[int, ...], grid: Grid) -> None:
    """Raises ShapeError where a tensor is not [rows, steps, ...] of this grid."""
    check_grid(grid)
    if tuple(shape[:2]) != (grid.num_rows, grid.num_steps):
        raise ShapeError(
            f"{name} has shape {tuple(shape)}; expected [{grid.num_rows} rows, {grid.num_steps} steps, ...]. "
            f"With batch_first=False, transpose it first."
        )


def check_state(
    state: tuple[Tensor, Tensor] | None, shapes: tuple[tuple[int, ...], tuple[int, ...]], x: Tensor
) -> None:
    """Raises ShapeError where h or c does not fit."""
    if state is None:
        return
    if not isinstance(state, tuple) or len(state) != 2 or not all(isinstance(part, Tensor) for part in state):
        raise ShapeError(
            f"state is a {type(state).__name__}; expected a tuple of two tensors, h and c, as the LSTM returns it. "
            f"Masks are passed by name: reset=, valid=."
        )
    axes = "layers × directions, rows, units" if len(shapes[0]) == 3 else "layers × directions, units"
    for name, part, shape in zip("hc", state, shapes, strict=True):
        if tuple(part.shape) != shape:
            raise ShapeError(f"{name} of the state has shape {tuple(part.shape)}; expected {shape}: {axes}.")
        if (part.dtype != x.dtype and not _is_converted(part)) or part.device != x.device:
            raise ShapeError(f"{name} of the state is {part.dtype} on {part.device}; x is {x.dtype} on {x.device}.")


def check_mask(name: str, mask: object, x: Tensor) -> None:
    """Raises ShapeError where a mask is there and does not fit the cells of x."""
    if mask is None:
        return
    if not isinstance(mask, Tensor):
        raise ShapeError(f"{name} is a {type(mask).__name__}; pass a torch.bool tensor.")
    if mask.dtype != torch.bool or mask.shape != x.shape[:-1]:
        raise ShapeError(
            f"{name} is {mask.dtype} of shape {tuple(mask.shape)}; expected torch.bool of shape {tuple(x.shape[:-1])}."
        )
    if mask.device != x.device:
        raise ShapeError(f"{name} is on {mask.device}; x is on {x.device}. Move one of them, with .to(...).")
