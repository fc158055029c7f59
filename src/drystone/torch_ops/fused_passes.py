"""A fused layer, forward and backward over the runs of a grid.

The sums of the gates and what goes from step to step are native; each gradient of a weight, and that of the inputs, is
one large matrix product, which is PyTorch's.
"""

from typing import Any, NamedTuple, Self

import torch
from torch import Tensor

from drystone.torch_ops import fused_native

Maybe = Tensor | None
NUM_DIFFERENTIABLE = 7  # the first of the inputs


class Inputs(NamedTuple):
    """All that goes into a call; runs as in `runs.Runs`."""

    x: Tensor  # [rows, steps, features]
    h: Maybe  # [rows, hidden], None for zeros
    c: Maybe
    input_weights: Tensor  # [4 × hidden, features]
    hidden_weights: Tensor  # [4 × hidden, hidden]
    input_bias: Maybe  # [4 × hidden], or [biases, 4 × hidden]
    hidden_bias: Maybe  # [4 × hidden]
    starts: Tensor
    rows: Tensor
    places: Maybe
    bias_of: Maybe = None  # int64 [rows, steps], which of several biases a cell has

    @property
    def state(self) -> tuple[Tensor, Tensor] | None:
        return None if self.h is None or self.c is None else (self.h, self.c)

    def aliases(self, wanted: list[bool]) -> Self:
        """Returns the same, with those that are wanted behind tensors of their own."""
        parts: list[Any] = [
            part.view_as(part) if part is not None and is_wanted else part
            for part, is_wanted in zip(self, wanted, strict=True)
        ]
        return type(self)(*parts)

    @property
    def biases(self) -> Maybe:
        """The sums of both biases, [biases, 4 × hidden]."""
        if self.input_bias is None:
            return None
        return torch.atleast_2d(self.input_bias if self.hidden_bias is None else self.input_bias + self.hidden_bias)

    @property
    def bias_of_places(self) -> Maybe:
        """[rows × steps], which bias each has."""
        return None if self.bias_of is None else self.bias_of.flatten()

    @property
    def flat_x(self) -> Tensor:
        """The inputs by place, [rows × steps, features]."""
        return self.x.flatten(0, 1)

    @property
    def runs(self) -> tuple[Tensor, Tensor, Maybe]:
        return self.starts, self.rows, self.places


class Passed(NamedTuple):
    """What a forward pass made; the last two are there where a backward pass will need them."""

    output: Tensor  # h at every cell, [rows, steps, hidden]; 0 where it is not valid
    cells: Tensor  # c after each valid cell, [valid cells, hidden]
    gates: Maybe  # [valid cells, 4 × hidden]
    h_before: Maybe  # the h that each valid cell started from, [valid cells, hidden]


def forward(inputs: Inputs, *, for_backward: bool) -> Passed:
    """Runs the layer."""
    x, h, c, input_weights, hidden_weights = inputs[:5]
    shape = *x.shape[:2], hidden_weights.shape[1]
    output = x.new_empty(shape) if inputs.places is None else x.new_zeros(shape)
    num_cells, hidden = x.shape[0] * x.shape[1] if inputs.places is None else len(inputs.places), shape[2]
    cells = x.new_empty(num_cells, hidden)
    gates = x.new_empty(num_cells, 4 * hidden) if for_backward else None
    h_before = x.new_empty(num_cells, hidden) if for_backward else None
    read, weights = (inputs.flat_x, inputs.bias_of_places), (input_weights, inputs.biases, hidden_weights)
    fused_native.forward(read, weights, (h, c), inputs.runs, gates, output.flatten(0, 1), h_before, cells)
    return Passed(output, cells, gates, h_before)


def backward(
    gradients: tuple[Maybe, Maybe], inputs: Inputs, kept: tuple[Tensor, Tensor, Tensor], wanted: list[bool]
) -> list[Maybe]:
    """Returns the gradients of the inputs that are wanted.

    Args:
        gradients: of output and cells.
        inputs: those of the forward pass.
        kept: cells, gates and h_before of the forward pass; the gates are overwritten.
        wanted: of which inputs.
    """
    x, h, c, input_weights, hidden_weights = inputs[:5]
    cells, gates, h_before = kept
    num_places = x.shape[0] * x.shape[1]
    of_output, of_cells = gradients
    of_places = None if of_output is None else of_output.flatten(0, 1)
    of_c = c.new_zeros(c.shape) if c is not None and wanted[2] else None
    fused_native.backward(gates, hidden_weights, c, inputs.runs, cells, (of_places, of_cells), of_c, num_places)
    of_x = of_h = of_input_weights = of_hidden_weights = of_bias = None
    if wanted[0]:
        of_x = _given_back(gates @ input_weights, inputs.places, num_places).view_as(x)
    if h is not None and wanted[1]:
        starts, rows = _from_states(inputs)
        of_h = h.new_zeros(h.shape).index_copy_(0, rows, gates.index_select(0, starts) @ hidden_weights)
    if wanted[3]:
        of_input_weights = gates.t() @ _taken(inputs.flat_x, inputs.places)
    if wanted[4]:
        of_hidden_weights = gates.t() @ h_before
    if wanted[5] or wanted[6]:
        of_bias = gates.sum(0) if inputs.bias_of is None else _by_bias(gates, inputs)
    both = (of_bias if is_wanted else None for is_wanted in wanted[5:7])
    return [of_x, of_h, of_c, of_input_weights, of_hidden_weights, *both]


def _from_states(inputs: Inputs) -> tuple[Tensor, Tensor]:
    """The first cells of the runs that start from a passed-in state, and their rows."""
    chosen = inputs.rows >= 0
    return inputs.starts[:-1][chosen], inputs.rows[chosen]


def _by_bias(gates: Tensor, inputs: Inputs) -> Tensor:
    assert inputs.bias_of_places is not None
    assert inputs.input_bias is not None
    which = _taken(inputs.bias_of_places, inputs.places)
    # Sums by index, on all threads: index_add_ goes row after row on one.
    return torch.ops.aten.embedding_dense_backward(gates, which, len(inputs.input_bias), -1, False)


def _taken(values: Tensor, places: Maybe) -> Tensor:
    return values if places is None else values.index_select(0, places)


def _given_back(values: Tensor, places: Maybe, num_places: int) -> Tensor:
    return values if places is None else values.new_zeros(num_places, values.shape[1]).index_copy_(0, places, values)
