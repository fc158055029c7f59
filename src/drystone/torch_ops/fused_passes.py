"""A fused layer, forward and backward over the runs of a grid.

The inputs' part of all sums, and each gradient of a weight, are one large matrix product, which is PyTorch's; what goes
from step to step is native.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from drystone.torch_ops import fused_native

Maybe = Tensor | None
Three = tuple[Tensor, Tensor, Tensor]
NUM_DIFFERENTIABLE = 6  # the first of the inputs


class Inputs(NamedTuple):
    """All that goes into a call; runs as in `runs.Runs`."""

    x: Tensor  # [places, features]
    h: Maybe  # [rows, hidden], None for zeros
    c: Maybe
    input_weights: Tensor  # [4 × hidden, features]
    hidden_weights: Tensor  # [4 × hidden, hidden]
    bias: Maybe  # [4 × hidden], the sum of both
    starts: Tensor
    rows: Tensor
    places: Maybe

    @property
    def state(self) -> tuple[Tensor, Tensor] | None:
        return None if self.h is None or self.c is None else (self.h, self.c)

    @property
    def is_one_step(self) -> bool:
        """Whether the rows go one step on from the states that are passed in."""
        is_one_cell_a_row = self.h is not None and self.places is None and len(self.h) == len(self.x)
        return is_one_cell_a_row and bool((self.rows >= 0).all())

    @property
    def runs(self) -> tuple[Tensor, Tensor, Maybe]:
        return self.starts, self.rows, self.places


def forward(inputs: Inputs, *, keeps_gates: bool) -> Three:
    """Returns h at every place, 0 where no valid cell lies; c after each valid cell; and the gates, where they are kept."""
    x, places = _taken(inputs.x, inputs.places), len(inputs.x)
    hidden = inputs.hidden_weights.shape[1]
    weights = inputs.input_weights.t()
    gates = torch.mm(x, weights) if inputs.bias is None else torch.addmm(inputs.bias, x, weights)
    output = gates.new_empty(places, hidden) if inputs.places is None else gates.new_zeros(places, hidden)
    cells = gates.new_empty(len(gates), hidden)
    h = inputs.h
    if h is not None and inputs.is_one_step:
        # One step a row: no other step would use the weights once they are packed, so PyTorch takes them as they are.
        gates, h = gates.addmm_(h, inputs.hidden_weights.t()), None
    fused_native.forward(
        gates, inputs.hidden_weights, (h, inputs.c), inputs.runs, output, cells, keeps_gates=keeps_gates
    )
    return output, cells, gates


def backward(
    gradients: tuple[Maybe, Maybe], inputs: Inputs, output: Tensor, cells: Tensor, gates: Tensor, wanted: list[bool]
) -> list[Maybe]:
    """Returns the gradients of the inputs that are wanted; overwrites the gates."""
    x, h, c, input_weights, hidden_weights = inputs[:5]
    num_places = len(output)
    of_c = torch.zeros_like(c) if c is not None and wanted[2] else None
    fused_native.backward(gates, hidden_weights, c, inputs.runs, cells, gradients, of_c, num_places)
    of_x = of_h = of_input_weights = of_hidden_weights = of_bias = None
    if wanted[0]:
        of_x = _given_back(gates @ input_weights, inputs.places, num_places)
    if h is not None and wanted[1]:
        starts, rows = _from_states(inputs)
        of_h = torch.zeros_like(h).index_copy_(0, rows, gates.index_select(0, starts) @ hidden_weights)
    if wanted[3]:
        of_input_weights = gates.t() @ _taken(x, inputs.places)
    if wanted[4]:
        of_hidden_weights = gates.t() @ _h_before(inputs, output, len(cells))
    if wanted[5]:
        of_bias = gates.sum(0)
    return [of_x, of_h, of_c, of_input_weights, of_hidden_weights, of_bias]


def _h_before(inputs: Inputs, output: Tensor, num_cells: int) -> Tensor:
    """The h that each valid cell started from, [valid cells, hidden]."""
    before = output.new_empty(num_cells, output.shape[1])
    if len(before):
        if inputs.places is None:
            before[1:] = output[:-1]
        else:
            torch.index_select(output, 0, inputs.places[:-1], out=before[1:])
        before.index_fill_(0, inputs.starts[:-1], 0.0)
    if inputs.h is not None:
        starts, rows = _from_states(inputs)
        before.index_copy_(0, starts, inputs.h.index_select(0, rows))
    return before


def _from_states(inputs: Inputs) -> tuple[Tensor, Tensor]:
    """The first cells of the runs that start from a passed-in state, and their rows."""
    chosen = inputs.rows >= 0
    return inputs.starts[:-1][chosen], inputs.rows[chosen]


def _taken(values: Tensor, places: Maybe) -> Tensor:
    return values if places is None else values.index_select(0, places)


def _given_back(values: Tensor, places: Maybe, num_places: int) -> Tensor:
    return values if places is None else values.new_zeros(num_places, values.shape[1]).index_copy_(0, places, values)
