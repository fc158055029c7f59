"""The small interface of all recurrent kernels: one layer, one direction, one grid."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Bools = npt.NDArray[np.bool_]


class Weights(NamedTuple):
    """The parameters of one layer and direction, shaped as in `torch.nn.LSTM`; gates in the order i, f, g, o."""

    input: Tensor  # [4 × hidden, features]
    hidden: Tensor  # [4 × hidden, units]
    input_bias: Tensor | None  # [4 × hidden]
    hidden_bias: Tensor | None  # [4 × hidden]
    projection: Tensor | None = None  # [units, hidden]: h has `units` units, c has `hidden`; the same without it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Masks:
    """What a kernel must know of a grid, read off on the host before any tensor is touched.

    Args:
        valid: bool [rows, steps] on the device, or None where every cell is valid.
        reset: bool [rows, steps] on the device, or None where no cell resets.
        is_one_run: whether each row holds one run of valid cells, with no reset after its first one.
        has_lead: whether a run may start with a state that must survive invalid cells before it.
        clears: bool [rows] on the device: with one run a row, the rows that start from a zeroed state.
        last: int64 [rows] on the device, the column of the last valid cell, −1 where there is none.
    """

    valid: Tensor | None
    reset: Tensor | None
    is_one_run: bool
    has_lead: bool
    clears: Tensor
    last: Tensor

    @classmethod
    def of(cls, valid: Bools, reset: Bools, device: torch.device) -> Self:
        """Reads the facts off host masks and sends the masks to the device."""
        num_steps = valid.shape[1]
        first = np.where(valid.any(axis=1), valid.argmax(axis=1), num_steps)
        last = np.where(valid.any(axis=1), num_steps - 1 - valid[:, ::-1].argmax(axis=1), -1)
        column = np.arange(num_steps)
        between = (column > first[:, None]) & (column < last[:, None])
        is_broken = (between & ~valid) | (reset & (column > first[:, None]))
        clears: Bools = np.asarray(reset.any(axis=1))
        return cls(
            valid=None if np.all(valid) else to_device(valid, device),
            reset=to_device(reset, device) if clears.any() else None,
            is_one_run=not bool(np.any(is_broken)),
            has_lead=bool(((first > 0) & (first < num_steps) & ~clears).any()),
            clears=to_device(clears, device),
            last=to_device(last, device),
        )

    @classmethod
    def none(cls, num_rows: int, num_steps: int, device: torch.device) -> Self:
        """Returns the masks of a grid without any: all cells are valid, none resets. No host array is made."""
        return cls(
            valid=None,
            reset=None,
            is_one_run=True,
            has_lead=False,
            clears=torch.zeros(num_rows, dtype=torch.bool, device=device),
            last=torch.full((num_rows,), num_steps - 1, device=device),
        )


class Layer(NamedTuple):
    """The work of one call: inputs [rows, steps, features]; state h [rows, units] and c [rows, hidden], None for zeros."""

    x: Tensor
    state: tuple[Tensor, Tensor] | None
    weights: Weights
    masks: Masks


class LayerResult(NamedTuple):
    """What one call returns.

    `cells` is the cell state after every step, [rows, steps, hidden], or None where each row holds one run:
    the cell state at its end is then `c`.
    """

    output: Tensor  # [rows, steps, units], 0 at invalid cells
    h: Tensor  # [rows, units], after the last valid cell
    c: Tensor  # [rows, hidden]
    cells: Tensor | None


class Kernel(Protocol):
    """A way to run a layer."""

    name: str

    def refuses(self, layer: Layer) -> str | None:
        """Returns why this kernel cannot run the layer exactly, or None where it can."""
        ...

    def run(self, layer: Layer) -> LayerResult:
        """Runs a layer that it does not refuse."""
        ...


def initial_state(layer: Layer) -> tuple[Tensor, Tensor]:
    """Returns the state that the rows start from."""
    if layer.state is not None:
        return layer.state
    gates, units = layer.weights.hidden.shape
    rows = layer.x.shape[0]
    return layer.x.new_zeros(rows, units), layer.x.new_zeros(rows, gates // 4)


def to_device(array: npt.NDArray[np.generic], device: torch.device) -> Tensor:
    """Returns a copy of a host array on the device, without waiting for it."""
    return torch.from_numpy(np.array(array, order="C")).to(device, non_blocking=True)
