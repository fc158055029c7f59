"""Rows laid anew for kernels that know neither resets nor invalid cells.

Each row's valid cells are laid end to end from column 0, with one cell left free wherever the state is to be zeroed
on the way; what is left at the end of a row holds the state. A kernel then needs two signals only, one a free cell.
"""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.autograd.function import FunctionCtx

from drystone.core.errors import ShapeError

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


class Cells(NamedTuple):
    """Which cells to take, in the order wanted, and which places stay 0."""

    source: Tensor  # int64 [places], numbers of cells; 0 at a hole
    holes: Tensor  # int64 [holes], numbers of places


class Arrangement(NamedTuple):
    """How a grid's cells are laid for one call; built on the host, without waiting for the device.

    Places are numbered step × rows + row, cells row × steps + step.
    """

    num_steps: int  # of the call
    signals: Tensor | None  # bool [num_steps, rows, 2]: hold the state, zero the state; None where neither is needed
    clears: Tensor | None  # bool [rows]: starts from a zeroed state; None where no row does
    last: Tensor  # int64 [rows]: the step after which h is a row's state, −1 where the row has no valid cell
    is_zeroed_on_the_way: bool  # whether any state is zeroed after a row's first valid cell
    places: Cells | None  # from the grid's cells to the places of the call; None where each stays in its column
    cells: Cells | None  # the way back

    @classmethod
    def of(cls, valid: Bools, reset: Bools, device: torch.device) -> Self:
        """Lays the valid cells of host masks [rows, steps]."""
        rows = RowsOfCells.of(valid, reset)
        num_rows, num_steps = valid.shape
        stays = rows.fit_in_place()
        column = rows.column if stays else rows.laid_column()
        last = np.full(num_rows, -1)
        last[rows.row] = column  # columns rise along a row, so its last one remains
        zeroed = rows.zeroed_places(column, last)
        last[rows.clears_at_end] += 1
        if not stays:
            num_steps = few_shapes(int(last.max()) + 1)
        place = column * num_rows + rows.row
        signals = np.ones((num_steps * num_rows, 2), dtype=bool)
        signals[place] = False
        signals[:, 1] = False
        signals[zeroed] = False, True
        return cls(
            num_steps=num_steps,
            signals=to_device(signals.reshape(num_steps, num_rows, 2), device) if signals.any() else None,
            clears=to_device(rows.clears, device) if rows.clears.any() else None,
            last=to_device(last, device),
            is_zeroed_on_the_way=len(zeroed) > 0,
            places=None if stays else _taken(rows.cell, place, len(signals), device),
            cells=None if stays else _taken(place, rows.cell, valid.size, device),
        )

    @classmethod
    def none(cls, num_rows: int, num_steps: int, device: torch.device) -> Self:
        """Leaves everything where it is, for a grid whose cells are all valid and never reset."""
        return cls(
            num_steps=num_steps,
            signals=None,
            clears=None,
            last=torch.full((num_rows,), num_steps - 1, device=device),
            is_zeroed_on_the_way=False,
            places=None,
            cells=None,
        )

    def lay(self, values: Tensor) -> Tensor:
        """From the grid, [rows, steps, units], to the call, [num_steps, rows, units]."""
        if self.places is None or self.cells is None:
            return values.transpose(0, 1)
        _refuse_tangents(values)
        return take_cells(values.flatten(0, 1), *self.places, *self.cells).unflatten(0, (self.num_steps, -1))

    def restore(self, values: Tensor, valid: Tensor | None) -> Tensor:
        """From the call back to the grid, with 0 at invalid cells."""
        if self.places is None or self.cells is None:
            turned = values.transpose(0, 1)
            return turned if valid is None else torch.where(valid[..., None], turned, 0.0)
        _refuse_tangents(values)
        return take_cells(values.flatten(0, 1), *self.cells, *self.places).unflatten(0, (values.shape[1], -1))


class RowsOfCells(NamedTuple):
    """The valid cells of a grid, row after row, and where the state is zeroed between them."""

    cell: Ints  # [valid cells], row × steps + step
    row: Ints
    column: Ints
    is_first: Bools  # the first valid cell of its row
    is_zeroed: Bools  # the state is zeroed between the valid cell before it, of the same row, and this one
    clears: Bools  # [rows], the state that the row starts from is zeroed
    clears_at_end: Bools  # [rows], the state is zeroed after the last valid cell

    @classmethod
    def of(cls, valid: Bools, reset: Bools) -> Self:
        cell = np.flatnonzero(valid)
        row, column = np.divmod(cell, valid.shape[1])
        is_first = np.append(True, row[1:] != row[:-1])[: len(cell)]
        resets = np.cumsum(reset, axis=1)
        resets_by = resets.reshape(-1)[cell]
        is_zeroed = np.append(False, resets_by[1:] != resets_by[:-1])[: len(cell)] & ~is_first
        resets_by_first, resets_by_last = resets[:, -1].copy(), resets[:, -1].copy()
        resets_by_first[row[is_first]] = resets_by[is_first]
        resets_by_last[row] = resets_by
        return cls(cell, row, column, is_first, is_zeroed, resets_by_first > 0, resets[:, -1] > resets_by_last)

    def fit_in_place(self) -> bool:
        """Whether all cells can stay in their columns.

        Invalid cells must then lie only where they do no harm: before a row's first valid cell, if the state is
        zero there; after the last one; and between two sequences, where the state is zeroed in the cell before the start.
        """
        distance = np.diff(self.cell, prepend=0)
        inside = np.where(self.is_zeroed, distance > 1, distance == 1)
        return bool(np.all(np.where(self.is_first, (self.column == 0) | self.clears[self.row], inside)))

    def laid_column(self) -> Ints:
        """[valid cells]: columns from 0 on, with one left free before each start on the way."""
        end = np.cumsum(1 + self.is_zeroed)
        return end - end[self.is_first][np.cumsum(self.is_first) - 1]

    def zeroed_places(self, column: Ints, last: Ints) -> Ints:
        """The places where the state is zeroed: before each start on the way, and after the last valid cell."""
        num_rows = len(self.clears)
        before = (column[self.is_zeroed] - 1) * num_rows + self.row[self.is_zeroed]
        after = (last[self.clears_at_end] + 1) * num_rows + np.flatnonzero(self.clears_at_end)
        return np.concatenate([before, after])


def few_shapes(num_steps: int) -> int:
    """Returns a number of steps at most a sixteenth larger: kernels prepare anew for every number that they meet.

    Example:
        >>> few_shapes(31), few_shapes(100), few_shapes(250)
        (31, 100, 256)
    """
    multiple = 1 << max(0, num_steps.bit_length() - 5)
    return -(-num_steps // multiple) * multiple


@torch.library.custom_op("drystone::take_cells", mutates_args=())
def take_cells(
    values: Tensor,
    index: Tensor,
    holes: Tensor,
    index_back: Tensor,  # noqa: ARG001 - only the gradient takes the way back
    holes_back: Tensor,  # noqa: ARG001
) -> Tensor:
    """Returns values[index], [places, units], with 0 at the holes.

    No cell is taken twice, so the gradient takes the same way back: no sums, and nothing that depends on their order.
    """
    taken = values.index_select(0, index)
    return taken.index_fill_(0, holes, 0.0)


@take_cells.register_fake
def _(values: Tensor, index: Tensor, *_others: Tensor) -> Tensor:
    return values.new_empty(index.shape[0], values.shape[1])


def _keep_the_ways(ctx: FunctionCtx, inputs: tuple[Tensor, ...], output: Tensor) -> None:  # noqa: ARG001
    ctx.save_for_backward(*inputs[1:])


def _take_back(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
    index, holes, index_back, holes_back = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
    return take_cells(gradient, index_back, holes_back, index, holes), None, None, None, None


def _refuse_tangents(values: Tensor) -> None:
    """PyTorch would pass them through an operator of ours as 0, and say nothing."""
    if not torch.compiler.is_compiling() and forward_ad.unpack_dual(values).tangent is not None:
        raise ShapeError('the vendor kernel has no forward-mode derivative (jvp, jacfwd); use kernel="reference".')


take_cells.register_autograd(_take_back, setup_context=_keep_the_ways)


def to_device(array: npt.NDArray[np.generic], device: torch.device) -> Tensor:
    """Returns a copy of a host array on the device, without waiting for it: a GPU reads pinned memory when it gets there."""
    copied = torch.from_numpy(np.array(array, order="C"))
    return copied.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else copied.to(device)


def to_host(mask: Tensor | None, shape: tuple[int, int], *, default: bool) -> Bools:
    """Returns a mask as a host array, waiting for its device; without one, an array of the default."""
    return np.full(shape, default) if mask is None else mask.cpu().numpy()


def _taken(source: Ints, target: Ints, num_targets: int, device: torch.device) -> Cells:
    index = np.full(num_targets, -1)
    index[target] = source
    holes = np.flatnonzero(index < 0)
    index[holes] = 0
    return Cells(to_device(index, device), to_device(holes, device))
