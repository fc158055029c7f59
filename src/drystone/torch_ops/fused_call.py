"""The fused layer over the runs of a grid, under autograd; for the compiler, an operator that it keeps in one piece.

The inputs' part of all sums, and each gradient of a weight, are one large matrix product, which is PyTorch's; what goes
from step to step is native.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from drystone.core.errors import ShapeError
from drystone.torch_ops import fused_native

Maybe = Tensor | None
Three = tuple[Tensor, Tensor, Tensor]


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


NUM_DIFFERENTIABLE = 6  # the first of them
Plain = Callable[[Inputs], tuple[Tensor, Tensor]]  # the same outputs as a differentiable function


def fused_call(inputs: Inputs, plain: Plain) -> tuple[Tensor, Tensor]:
    """Returns h at every place, [places, hidden], 0 where no valid cell lies; and c after each valid cell.

    Args:
        inputs: on a CPU, in float32 or float64.
        plain: does the same step by step; second derivatives come from there.
    """
    if torch.compiler.is_compiling():
        return fused_layer(*inputs)[:2]
    if torch.is_grad_enabled() and any(part is not None and part.requires_grad for part in inputs):
        return Fused.apply(plain, *inputs)
    return _forward(inputs, keeps_gates=False)[:2]


def _forward(inputs: Inputs, *, keeps_gates: bool) -> Three:
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


def _backward(
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


class Fused(torch.autograd.Function):
    """The call as autograd sees it."""

    @staticmethod
    def forward(ctx: Any, plain: Plain, *parts: Any) -> tuple[Tensor, Tensor]:
        """Returns output and cells; what the backward pass needs is kept, none of it as a copy."""
        output, cells, gates = _forward(Inputs(*parts), keeps_gates=True)
        ctx.plain = plain
        ctx.save_for_backward(*parts, output, cells, gates)
        ctx.set_materialize_grads(False)
        return output, cells

    @staticmethod
    def backward(ctx: Any, of_output: Maybe, of_cells: Maybe) -> tuple[Any, ...]:
        """Returns the gradients; where they are to have gradients themselves, those of the plain loop."""
        *parts, output, cells, gates = ctx.saved_tensors
        inputs, wanted = Inputs(*parts), list(ctx.needs_input_grad[1:])
        if torch.is_grad_enabled():
            found = _plain_gradients((of_output, of_cells), inputs, ctx.plain, wanted)
        else:
            # A graph that is kept may go backward again, and needs its gates then.
            gates = gates.clone() if _graph_is_kept() else gates
            found = _backward((of_output, of_cells), inputs, output, cells, gates, wanted)
        return None, *found, None, None, None


def _graph_is_kept() -> bool:
    return torch._C._autograd._get_current_graph_task_keep_graph()


def _plain_gradients(
    gradients: tuple[Maybe, Maybe], inputs: Inputs, plain: Plain, wanted: list[bool]
) -> list[Maybe]:
    pairs = [(value, grad) for value, grad in zip(plain(inputs), gradients, strict=True) if grad is not None]
    leaves = [part for part, is_wanted in zip(inputs, wanted, strict=True) if is_wanted]
    values, given = zip(*pairs, strict=True)
    found = iter(torch.autograd.grad(values, leaves, given, create_graph=True, allow_unused=True))
    return [next(found) if is_wanted else None for is_wanted in wanted[:NUM_DIFFERENTIABLE]]


@torch.library.custom_op("drystone::fused_layer", mutates_args=())
def fused_layer(
    x: Tensor,
    h: Tensor | None,
    c: Tensor | None,
    input_weights: Tensor,
    hidden_weights: Tensor,
    bias: Tensor | None,
    starts: Tensor,
    rows: Tensor,
    places: Tensor | None,
) -> Three:
    """The call as an operator: output, cells, gates."""
    inputs = Inputs(x, h, c, input_weights, hidden_weights, bias, starts, rows, places)
    return _forward(inputs, keeps_gates=True)


@fused_layer.register_fake
def _(x: Tensor, h: Any, c: Any, input_weights: Tensor, hidden_weights: Tensor, bias: Any, *runs: Any) -> Three:
    num_places, hidden = x.shape[0], hidden_weights.shape[1]
    num_cells = num_places if runs[2] is None else runs[2].shape[0]
    return x.new_empty(num_places, hidden), x.new_empty(num_cells, hidden), x.new_empty(num_cells, 4 * hidden)


@torch.library.custom_op("drystone::fused_layer_backward", mutates_args=())
def fused_layer_backward(
    of_output: Tensor | None,
    of_cells: Tensor | None,
    x: Tensor,
    h: Tensor | None,
    c: Tensor | None,
    input_weights: Tensor,
    hidden_weights: Tensor,
    bias: Tensor | None,
    starts: Tensor,
    rows: Tensor,
    places: Tensor | None,
    output: Tensor,
    cells: Tensor,
    gates: Tensor,
    wanted: list[bool],
) -> list[Tensor]:
    """The gradients that are wanted of x, h, c, both weights and the bias."""
    inputs = Inputs(x, h, c, input_weights, hidden_weights, bias, starts, rows, places)
    found = _backward((of_output, of_cells), inputs, output, cells, gates.clone(), wanted)
    return [part for part in found if part is not None]


@fused_layer_backward.register_fake
def _(of_output: Any, of_cells: Any, *rest: Any) -> list[Tensor]:
    *inputs, _output, _cells, _gates, wanted = rest
    parts = zip(inputs, wanted, strict=False)
    return [part.new_empty(part.shape) for part, is_wanted in parts if is_wanted]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Three) -> None:
    ctx.save_for_backward(*inputs, *output)
    ctx.set_materialize_grads(False)
    ctx.mark_non_differentiable(output[2])


def _backward_of_operator(ctx: Any, of_output: Maybe, of_cells: Maybe, _: Maybe) -> tuple[Any, ...]:
    wanted = list(ctx.needs_input_grad)[:NUM_DIFFERENTIABLE]
    found = iter(fused_layer_backward(of_output, of_cells, *ctx.saved_tensors, wanted))
    return *(next(found) if is_wanted else None for is_wanted in wanted), None, None, None


fused_layer.register_autograd(_backward_of_operator, setup_context=_keep)


def _refuse(ctx: Any, *gradients: Any) -> None:
    raise ShapeError(
        "a compiled LSTM has no second derivative: call the LSTM outside of torch.compile where you need "
        "create_graph=True."
    )


fused_layer_backward.register_autograd(_refuse)
