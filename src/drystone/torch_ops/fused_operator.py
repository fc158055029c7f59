"""A fused layer as an operator, which `torch.compile` keeps in one piece."""

from typing import Any

import torch
from torch import Tensor

from drystone.torch_ops.fused_passes import NUM_DIFFERENTIABLE, Inputs, Maybe, backward, forward
from drystone.torch_ops.second_derivative import refuse_second_derivative

Four = tuple[Tensor, Tensor, Tensor, Tensor]


@torch.library.custom_op("drystone::fused_layer", mutates_args=())
def fused_layer(
    x: Tensor,
    h: Tensor | None,
    c: Tensor | None,
    input_weights: Tensor,
    hidden_weights: Tensor,
    input_bias: Tensor | None,
    hidden_bias: Tensor | None,
    starts: Tensor,
    rows: Tensor,
    places: Tensor | None,
    bias_of: Tensor | None,
) -> Four:
    """The call as an operator: output, cells, gates, h_before."""
    inputs = Inputs(x, h, c, input_weights, hidden_weights, input_bias, hidden_bias, starts, rows, places, bias_of)
    output, cells, gates, h_before = forward(inputs, for_backward=True)
    assert gates is not None
    assert h_before is not None
    return output, cells, gates, h_before


@fused_layer.register_fake
def _(x: Tensor, h: Any, c: Any, input_weights: Tensor, hidden_weights: Tensor, *rest: Any) -> Four:
    (rows, steps), hidden, places = x.shape[:2], hidden_weights.shape[1], rest[-2]
    num_cells = rows * steps if places is None else places.shape[0]
    output, cells = x.new_empty(rows, steps, hidden), x.new_empty(num_cells, hidden)
    return output, cells, x.new_empty(num_cells, 4 * hidden), x.new_empty(num_cells, hidden)


@torch.library.custom_op("drystone::fused_layer_backward", mutates_args=())
def fused_layer_backward(
    of_output: Tensor | None,
    of_cells: Tensor | None,
    x: Tensor,
    h: Tensor | None,
    c: Tensor | None,
    input_weights: Tensor,
    hidden_weights: Tensor,
    input_bias: Tensor | None,
    hidden_bias: Tensor | None,
    starts: Tensor,
    rows: Tensor,
    places: Tensor | None,
    bias_of: Tensor | None,
    cells: Tensor,
    gates: Tensor,
    h_before: Tensor,
    wanted: list[bool],
) -> list[Tensor]:
    """The gradients that are wanted of x, h, c, both weights and both biases."""
    inputs = Inputs(x, h, c, input_weights, hidden_weights, input_bias, hidden_bias, starts, rows, places, bias_of)
    found = backward((of_output, of_cells), inputs, (cells, gates.clone(), h_before), wanted)
    *others, of_hidden_bias = found
    if of_hidden_bias is not None:  # results of an operator may not share memory
        of_hidden_bias = of_hidden_bias.clone()
    return [part for part in (*others, of_hidden_bias) if part is not None]


@fused_layer_backward.register_fake
def _(of_output: Any, of_cells: Any, *rest: Any) -> list[Tensor]:
    *inputs, _cells, _gates, _h_before, wanted = rest
    parts = zip(inputs, wanted, strict=False)
    return [part.new_empty(part.shape) for part, is_wanted in parts if is_wanted]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Four) -> None:
    ctx.save_for_backward(*inputs, *output[1:])
    ctx.set_materialize_grads(False)
    ctx.mark_non_differentiable(*output[2:])


def _backward_of_operator(ctx: Any, of_output: Maybe, of_cells: Maybe, *_: Maybe) -> tuple[Any, ...]:
    wanted = list(ctx.needs_input_grad)[:NUM_DIFFERENTIABLE]
    found = iter(fused_layer_backward(of_output, of_cells, *ctx.saved_tensors, wanted))
    return *(next(found) if is_wanted else None for is_wanted in wanted), None, None, None, None


fused_layer.register_autograd(_backward_of_operator, setup_context=_keep)


fused_layer_backward.register_autograd(refuse_second_derivative)
