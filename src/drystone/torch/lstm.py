"""`torch.nn.LSTM` over the grid: exact on padded, bucketed and packed batches, and on carried state."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from drystone.core.errors import ShapeError
from drystone.core.grid import Grid
from drystone.torch.batch import TensorBatch
from drystone.torch.checks import check_input, check_state, grid_of_masks
from drystone.torch_ops.arrangement import to_device
from drystone.torch_ops.choose import check_kernel, choose, explain
from drystone.torch_ops.kernel import Layer, LayerResult, Masks, Weights

State = tuple[Float[Tensor, "layers rows hidden"], Float[Tensor, "layers rows hidden"]]


@dataclass(frozen=True, kw_only=True, eq=False)
class LSTMRun:
    """What a run over a grid returns; `layers` stands for layers × directions, in the order of `nn.LSTM`.

    Args:
        output: [rows, steps, units], 0 at invalid cells; shaped like the input.
        state: h and c after each row's last valid cell: [layers, rows, hidden]; pass them to the next batch to carry on.
        final_h: h after each sequence's last step (its first, in the backward direction): [layers, sequences ending
            here, hidden], in the order of `grid.ends`.
        final_c: works out c there, as it was at the time of the run.
    """

    output: Float[Tensor, "a b units"]
    state: State
    final_h: Float[Tensor, "layers sequences hidden"]
    final_c: Callable[[], Float[Tensor, "layers sequences hidden"]]

    @cached_property
    def final(self) -> State:
        """The pair of `final_h` and `final_c()`; c is worked out when first asked for."""
        return self.final_h, self.final_c()


class LSTM(nn.Module):
    """An LSTM over grids; parameters, their names and their initial values are those of `torch.nn.LSTM`.

    Args:
        input_size: features a step.
        hidden_size: units a layer and direction.
        num_layers: layers, one on the output of the other.
        bias: whether gates have biases.
        batch_first: whether inputs, outputs and masks are [rows, steps, ...] (else [steps, rows, ...]).
        dropout: fraction dropped between layers in training, 0 … 1.
        bidirectional: whether a second set of layers runs backward through each sequence.
        kernel: "auto", or one of "vendor" and "reference".

    Example:
        >>> import drystone as ds
        >>> from drystone.torch import LSTM, batches
        >>> seqs = ds.Sequences.from_arrays(per_step={"x": [np.ones((3, 2), "f"), np.ones((1, 2), "f")]})
        >>> batch = next(batches(ds.Loader(seqs, ds.Packed(rows=1, steps=4, order="given"))))
        >>> lstm = LSTM(2, 8)
        >>> output, state = lstm(batch["x"], reset=batch.reset, valid=batch.valid)
        >>> output.shape, bool((output[0, 0] == output[0, 3]).all())
        (torch.Size([1, 4, 8]), True)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        kernel: str = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        _check_sizes(input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        if not 0.0 <= dropout <= 1.0:
            raise ShapeError(f"dropout must lie between 0 and 1; got {dropout}.")
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        self.kernel = check_kernel(kernel)
        for layer in range(num_layers):
            for suffix in self._suffixes(layer):
                for name, shape in self._shapes(layer).items():
                    weight = torch.empty(shape, device=device, dtype=dtype)
                    self.register_parameter(f"{name}{suffix}", nn.Parameter(weight))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws all parameters uniformly from ±1 ∕ √hidden, in the order of `nn.LSTM`."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(
        self,
        x: Float[Tensor, "a b features"],
        state: State | None = None,
        *,
        reset: Bool[Tensor, "a b"] | None = None,
        valid: Bool[Tensor, "a b"] | None = None,
    ) -> tuple[Float[Tensor, "a b units"], State]:
        """Returns the output at every cell, and the state after each row's last valid cell.

        Without `reset` each row is one run, as in `nn.LSTM`. The masks are read on the host: on a GPU that
        waits for the device; `run` with a batch's own grid does not.

        Args:
            x: the inputs, [rows, steps, features].
            state: h and c that rows start from, [layers × directions, rows, hidden]; zeros by default.
            reset: true where the state is zeroed just before a cell; passed-in state too.
            valid: true where a cell holds a real step; others output 0 and leave the state unchanged.

        Raises:
            ShapeError: shapes, types or devices that do not fit, or a backward direction on a row that
                does not start with a reset.
        """
        grid = grid_of_masks(x, reset, valid, batch_first=self.batch_first)  # pyright: ignore[reportCallIssue]
        if self.bidirectional and reset is not None:
            _check_whole(grid)
        run = self._run(x, grid, state, one_run_a_row=reset is None)
        return run.output, run.state

    def run(self, x: Float[Tensor, "a b features"], grid: Grid, state: State | None = None) -> LSTMRun:
        """Runs over the grid of a batch; the device is never waited for.

        Args:
            x: the inputs, [rows, steps, features].
            grid: `batch.grid`.
            state: h and c that rows start from, [layers × directions, rows, hidden]; zeros by default.

        Raises:
            ShapeError: shapes, types or devices that do not fit, or a backward direction on a sequence that
                spans several batches.
        """
        if self.bidirectional:
            _check_whole(grid)
        return self._run(x, grid, state, one_run_a_row=False)

    def explain(self, batch: TensorBatch | Grid) -> str:
        """Returns one line a kernel: which one runs a batch, and why each other does not.

        Args:
            batch: a batch, or its grid.

        Example:
            >>> print(LSTM(2, 8).explain(Grid.from_masks(reset=[[True, False, True]], valid=[[True, True, True]])))
            vendor: runs, the first that can
            reference: not needed: vendor runs and comes first
        """
        grid = batch if isinstance(batch, Grid) else batch.grid
        weights = self._weights("_l0")
        x = weights.input.new_zeros(()).expand(grid.num_rows, grid.num_steps, self.input_size)
        return explain(self.kernel, Layer(x, None, weights, _forward(grid, x.device).masks))

    def _run(self, x: Tensor, grid: Grid, state: State | None, *, one_run_a_row: bool) -> LSTMRun:
        if torch.is_autocast_enabled(x.device.type):
            return self._run_in_own_dtype(x, grid, state, one_run_a_row=one_run_a_row)
        check_input(x, self.input_size, self._weight("weight_ih_l0"), grid, batch_first=self.batch_first)
        num_states = self.num_layers * (2 if self.bidirectional else 1)
        check_state(state, (num_states, grid.num_rows, self.hidden_size), x)
        layer_input = x if self.batch_first else x.transpose(0, 1)
        directions = _directions(grid, x.device, self.bidirectional, one_run_a_row)  # pyright: ignore[reportCallIssue]
        if directions[0].masks.valid is not None:
            layer_input = torch.where(directions[0].masks.valid[..., None], layer_input, 0.0)
        states: list[tuple[Tensor, Tensor]] = []
        finals: list[_Final] = []
        for layer in range(self.num_layers):
            outputs: list[Tensor] = []
            for direction, suffix in zip(directions, self._suffixes(layer), strict=True):
                before = None if state is None else (state[0][len(states)], state[1][len(states)])
                result = self._layer(layer_input, suffix, before, direction)
                outputs.append(direction.turned(result.output))
                states.append((result.h, result.c))
                finals.append(_Final(result, direction))
            layer_input = torch.cat(outputs, dim=2) if len(outputs) > 1 else outputs[0]
            if self.dropout and layer < self.num_layers - 1:
                layer_input = nn.functional.dropout(layer_input, self.dropout, self.training)
        output = layer_input if self.batch_first else layer_input.transpose(0, 1)
        return LSTMRun(
            output=output,
            state=_stacked(states),
            final_h=torch.stack([final.h() for final in finals]),
            final_c=lambda: torch.stack([final.c() for final in finals]),
        )

    def _run_in_own_dtype(self, x: Tensor, grid: Grid, state: State | None, *, one_run_a_row: bool) -> LSTMRun:
        """Runs with the type of the weights, whatever autocast made of the inputs."""
        dtype = self._weight("weight_ih_l0").dtype
        before = None if state is None else (state[0].to(dtype), state[1].to(dtype))
        with torch.autocast(x.device.type, enabled=False):
            return self._run(x.to(dtype), grid, before, one_run_a_row=one_run_a_row)

    def _layer(
        self, x: Tensor, suffix: str, state: tuple[Tensor, Tensor] | None, direction: "_Direction"
    ) -> LayerResult:
        layer = Layer(direction.turned(x), state, self._weights(suffix), direction.masks)
        return choose(self.kernel, layer).run(layer)

    def _weights(self, suffix: str) -> Weights:
        biases = (self._weight("bias_ih" + suffix), self._weight("bias_hh" + suffix)) if self.bias else (None, None)
        return Weights(self._weight("weight_ih" + suffix), self._weight("weight_hh" + suffix), *biases)

    def _weight(self, name: str) -> Tensor:
        return getattr(self, name)

    def _suffixes(self, layer: int) -> list[str]:
        return [f"_l{layer}", f"_l{layer}_reverse"] if self.bidirectional else [f"_l{layer}"]

    def _shapes(self, layer: int) -> dict[str, tuple[int, ...]]:
        gates = 4 * self.hidden_size
        below = self.input_size if layer == 0 else self.hidden_size * (2 if self.bidirectional else 1)
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, below), "weight_hh": (gates, self.hidden_size)}
        return shapes | {"bias_ih": (gates,), "bias_hh": (gates,)} if self.bias else shapes

    def extra_repr(self) -> str:
        """The settings that differ from the defaults, as `nn.LSTM` shows them."""
        shown = {"num_layers": 1, "bias": True, "batch_first": True, "dropout": 0.0, "bidirectional": False}
        changed = [f"{name}={getattr(self, name)}" for name, usual in shown.items() if getattr(self, name) != usual]
        return ", ".join([str(self.input_size), str(self.hidden_size), *changed])


class _Direction(NamedTuple):
    """The masks of one direction, and where it finds the last step of each sequence."""

    masks: Masks
    is_backward: bool
    end_row: Tensor
    end_step: Tensor

    def turned(self, values: Tensor) -> Tensor:
        return values.flip(1) if self.is_backward else values


class _Final(NamedTuple):
    """The state of one layer and direction after each sequence's last step; c is worked out only when asked for."""

    result: LayerResult
    direction: _Direction

    def h(self) -> Tensor:
        return self.result.output[self.direction.end_row, self.direction.end_step]

    def c(self) -> Tensor:
        end_row, end_step = self.direction.end_row, self.direction.end_step
        return self.result.c[end_row] if self.result.cells is None else self.result.cells()[end_row, end_step]


@torch.compiler.disable  # the compiler would trace NumPy, and that on the host
def _directions(grid: Grid, device: torch.device, is_both: bool, one_run_a_row: bool) -> list[_Direction]:
    forward = _forward(grid, device)
    return [forward, _backward(grid, device, one_run_a_row=one_run_a_row)] if is_both else [forward]


def _forward(grid: Grid, device: torch.device) -> _Direction:
    masks = Masks.of(grid.valid, grid.reset, device)
    return _Direction(masks, False, to_device(grid.ends.row, device), to_device(grid.ends.step, device))


def _backward(grid: Grid, device: torch.device, *, one_run_a_row: bool) -> _Direction:
    ends = grid.ends
    starts_here = np.zeros_like(grid.valid)
    if not one_run_a_row:
        starts_here[ends.row, ends.step] = True
    masks = Masks.of(grid.valid[:, ::-1], starts_here[:, ::-1], device)
    last_step = grid.num_steps - 1 - grid.spans.start[ends.span]
    return _Direction(masks, True, to_device(ends.row, device), to_device(last_step, device))


def _stacked(states: list[tuple[Tensor, Tensor]]) -> State:
    return torch.stack([h for h, _ in states]), torch.stack([c for _, c in states])


def _check_sizes(**sizes: int) -> None:
    for name, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ShapeError(f"{name} must be a whole number of at least 1; got {size!r}.")


def _check_whole(grid: Grid) -> None:
    if grid.is_whole:
        return
    at = int(np.argmin(grid.spans.is_first & grid.spans.is_last))
    raise ShapeError(
        f"a backward direction needs every sequence whole in one batch and in one run of cells; in row "
        f"{grid.spans.row[at]} the span from column {grid.spans.start[at]} to {grid.spans.stop[at] - 1} starts or "
        f"goes on elsewhere. Use bidirectional=False, or a layout that keeps sequences whole."
    )
