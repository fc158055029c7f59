"""A grid as the directions of an LSTM see it: masks on the device, and where each sequence has its last step."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from drystone.core.grid import Grid
from drystone.core.whole import whole_sequences
from drystone.torch_ops.arrangement import to_device, to_host
from drystone.torch_ops.kernel import LayerResult, Masks


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Direction:
    """The masks of one direction, turned round in time where it runs backward."""

    masks: Masks
    is_backward: bool

    def turned(self, values: Tensor) -> Tensor:
        """Returns [rows, steps, ...] in the order in which this direction runs."""
        return values.flip(1) if self.is_backward else values


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LastSteps:
    """Where one direction has the last step of each sequence that ends here; int64 tensors [sequences]."""

    row: Tensor
    step: Tensor

    def h(self, result: LayerResult) -> Tensor:
        """Returns h there, [sequences, units]."""
        return result.output[self.row, self.step]

    def c(self, result: LayerResult) -> Tensor:
        """Returns c there, [sequences, hidden]."""
        return result.c[self.row] if result.cells is None else result.cells()[self.row, self.step]


def unmasked(num_rows: int, num_steps: int, device: torch.device, *, both: bool) -> tuple[Direction, ...]:
    """Returns the directions of a grid without masks; each row is one run."""
    masks = Masks.none(num_rows, num_steps, device)
    return tuple(Direction(masks=masks, is_backward=backward) for backward in (False, True)[: 1 + both])


def directions_of(
    grid: Grid, device: torch.device, *, both: bool, one_run_a_row: bool = False
) -> tuple[Direction, ...]:
    """Returns the directions of a grid.

    Args:
        grid: what lies where.
        device: where the masks go.
        both: whether there is a backward direction too.
        one_run_a_row: whether a row goes on from the state passed in, in both directions, instead of holding
            whole sequences.

    Raises:
        ShapeError: a backward direction over sequences that are not whole.
    """
    forward = Direction(masks=Masks.of(grid.valid, grid.reset, device), is_backward=False)
    if not both:
        return (forward,)
    starts_here = np.zeros_like(grid.valid)
    if not one_run_a_row:
        whole_sequences(grid, "a backward direction")
        starts_here[grid.ends.row, grid.ends.step] = True
    masks = Masks.of(grid.valid[:, ::-1], starts_here[:, ::-1], device)
    return forward, Direction(masks=masks, is_backward=True)


def completed(directions: tuple[Direction, ...]) -> tuple[Direction, ...]:
    """Returns the directions with all that any kernel may ask for: a compiled function cannot work it out."""
    for direction in directions:
        direction.masks.complete()
    return directions


@torch.compiler.disable(reason="raw masks are read on the host; pass a grid prepared by lstm.prepare to lstm.run")
def directions_of_masks(
    x: Tensor, reset: Tensor | None, valid: Tensor | None, *, batch_first: bool, both: bool, for_compiler: bool
) -> tuple[Direction, ...]:
    """Returns the directions that raw masks of x describe; without a mask all cells are valid and none resets."""
    shape = (x.shape[0], x.shape[1])
    on_host = to_host(reset, shape, default=False), to_host(valid, shape, default=True)
    resets, valids = on_host if batch_first else (mask.T for mask in on_host)
    grid = Grid.from_masks(reset=resets, valid=valids)
    found = directions_of(grid, x.device, both=both, one_run_a_row=reset is None)
    return completed(found) if for_compiler else found


def last_steps_of(grid: Grid, device: torch.device, *, both: bool) -> tuple[LastSteps, ...]:
    """Returns where each direction has the last step of each sequence, in the order of `grid.ends`."""
    row = to_device(grid.ends.row, device)
    forward = LastSteps(row=row, step=to_device(grid.ends.step, device))
    if not both:
        return (forward,)
    first = whole_sequences(grid, "a backward direction").first_cell % grid.num_steps
    return forward, LastSteps(row=row, step=to_device(grid.num_steps - 1 - first, device))
