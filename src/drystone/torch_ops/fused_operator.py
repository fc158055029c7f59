"""A fused layer as an operator, which `torch.compile` keeps in one piece."""

from typing import Any

import torch
from torch import Tensor

from drystone.core.errors import ShapeError
from drystone.torch_ops.fused_passes import NUM_DIFFERENTIABLE, Inputs, Maybe, Three, backward, forward


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
    return forward(inputs, keeps_gates=True)


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
    found = backward((of_output, of_cells), inputs, output, cells, gates.clone(), wanted)
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
