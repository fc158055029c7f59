"""The small interface of all recurrent kernels: one layer, one direction, one grid."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, NamedTuple, Protocol, Self, TypeVar

import numpy as np
import torch
from torch import Tensor

from drystone.torch_ops.arrangement import Arrangement, Bools, to_device
from drystone.torch_ops.runs import Runs

T = TypeVar("T")


class Weights(NamedTuple):
    """The parameters of one layer and direction, shaped as in `torch.nn.LSTM`; gates in the order i, f, g, o.

    `units` are those of the output and of h: as many as hidden ones, unless they are projected to fewer.
    """

    input: Tensor  # [4 × hidden, features]
    hidden: Tensor  # [4 × hidden, units]
    input_bias: Tensor | None  # [4 × hidden]
    hidden_bias: Tensor | None  # [4 × hidden]
    projection: Tensor | None = None  # [units, hidden]


class Later(Generic[T]):
    """What one kernel needs and another does not: worked out when first asked for."""

    __slots__ = ("_found", "_make")

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._found: list[T] = []

    def get(self) -> T:
        """Returns it; the compiler knows lists, and no cached properties."""
        if not self._found:
            self._found.append(self._make())
        return self._found[0]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Masks:
    """What a kernel must know of a grid, read off on the host.

    Args:
        valid: bool [rows, steps] on the device, or None where every cell is valid.
        reset: bool [rows, steps] on the device, or None where no cell resets.
        runs_later: which cells follow one another.
        arrangement_later: how the cells are laid for kernels that know neither mask.
    """

    valid: Tensor | None
    reset: Tensor | None
    runs_later: Later[Runs]
    arrangement_later: Later[Arrangement]

    @classmethod
    def of(cls, valid: Bools, reset: Bools, device: torch.device) -> Self:
        """Reads the facts off host masks and sends the masks to the device."""
        return cls(
            valid=None if np.all(valid) else to_device(valid, device),
            reset=to_device(reset, device) if np.any(reset) else None,
            runs_later=Later(partial(Runs.of, valid, reset)),
            arrangement_later=Later(partial(Arrangement.of, valid, reset, device)),
        )

    @classmethod
    def none(cls, num_rows: int, num_steps: int, device: torch.device) -> Self:
        """Returns the masks of a grid without any: all cells are valid, none resets. No host array is made."""
        return cls(
            valid=None,
            reset=None,
            runs_later=Later(partial(Runs.none, num_rows, num_steps)),
            arrangement_later=Later(partial(Arrangement.none, num_rows, num_steps, device)),
        )

    @property
    def runs(self) -> Runs:
        """Which cells follow one another."""
        return self.runs_later.get()

    @property
    def arrangement(self) -> Arrangement:
        """How the cells are laid for kernels that know neither mask."""
        return self.arrangement_later.get()

    def complete(self) -> None:
        """Works out all that any kernel may ask for."""
        self.runs_later.get()
        self.arrangement_later.get()


class Lookup(NamedTuple):
    """Where inputs come from that are vectors of a table, such as those of words."""

    ids: Tensor  # int64 [rows, steps]
    vectors: Tensor  # [vectors, features]


class Layer(NamedTuple):
    """The work of one call: inputs [rows, steps, features]; h [rows, units] and c [rows, hidden], or None for zeros.

    Where there is a lookup, x holds its vectors: a kernel may take either.
    """

    x: Tensor
    state: tuple[Tensor, Tensor] | None
    weights: Weights
    masks: Masks
    lookup: Lookup | None = None


class LayerResult(NamedTuple):
    """What one call returns.

    `cells` works out the cell state after every step, [rows, steps, hidden]; it is None where no row is zeroed on the
    way: the cell state at the end of each row's sequence is then `c`.
    """

    output: Tensor  # [rows, steps, units], 0 at invalid cells
    h: Tensor  # [rows, units], after the last valid cell
    c: Tensor  # [rows, hidden]
    cells: Callable[[], Tensor] | None


class Kernel(Protocol):
    """A way to run a layer; a new one takes a file of its own, and a place in the order of `choose.KERNELS`."""

    name: str
    reads_invalid_cells: bool  # whether inputs at cells that are not valid must be finite

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


def without_invalid_cells(layer: Layer) -> Layer:
    """Puts zeros into inputs where anything may lie, NaN too."""
    valid = layer.masks.valid
    return layer if valid is None else layer._replace(x=torch.where(valid[..., None], layer.x, 0.0))
