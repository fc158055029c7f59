"""One call of PyTorch's own LSTM layer; for the compiler, an operator that it keeps in one piece.

`torch.compile` would unroll `torch.lstm` into its steps, which takes minutes to compile and runs slowly. As the operator
`drystone::lstm_layer` the call still reaches oneDNN or cuDNN. The reserves that they keep for the backward pass have a
size that only they know, so a graph cannot carry them: the backward operator runs the layer once more.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from drystone.torch_ops.cudnn import NOTHING, filled, filling_for_persistent, in_one_block
from drystone.torch_ops.second_derivative import refuse_second_derivative

Three = tuple[Tensor, Tensor, Tensor]


def lstm_call(x: Tensor, h: Tensor, c: Tensor, parameters: Sequence[Tensor], *, has_bias: bool) -> Three:
    """Returns what `torch.lstm` returns for one layer and direction: the output, h and c at the end.

    Args:
        x: [steps, rows, features].
        h: the state before, [1, rows, units].
        c: the cell state before, [1, rows, hidden].
        parameters: input and hidden weights, both biases if has_bias, then the projection if there is one.
        has_bias: whether there are biases.
    """
    if torch.compiler.is_exporting():
        return _torch_lstm(x, h, c, parameters, has_bias, train=torch.is_grad_enabled())
    if torch.compiler.is_compiling():
        return lstm_layer(x, h, c, list(parameters), has_bias)
    return _suited(x, h, c, parameters, has_bias, train=torch.is_grad_enabled())


def _suited(x: Tensor, h: Tensor, c: Tensor, parameters: Sequence[Tensor], has_bias: bool, *, train: bool) -> Three:
    """The call in a shape, and with its weights laid out, as the library runs it fastest."""
    filling = filling_for_persistent(x, c.shape[2], is_projected=h.shape[2] != c.shape[2])
    if filling == NOTHING:
        parameters = in_one_block(parameters) if x.is_cuda else parameters
        return _torch_lstm(x, h, c, parameters, has_bias, train=train)
    rows = x.shape[1]
    x, h, c, parameters = filled(x, h, c, parameters, filling)
    output, h_n, c_n = _torch_lstm(x, h, c, in_one_block(parameters), has_bias, train=train)
    return output[:, :rows], h_n[:, :rows], c_n[:, :rows]


def _torch_lstm(x: Tensor, h: Tensor, c: Tensor, parameters: Sequence[Tensor], has_bias: bool, *, train: bool) -> Three:
    return torch.lstm(x, (h, c), list(parameters), has_bias, 1, 0.0, train, False, False)


@torch.library.custom_op("drystone::lstm_layer", mutates_args=())
def lstm_layer(x: Tensor, h: Tensor, c: Tensor, parameters: list[Tensor], has_bias: bool) -> Three:
    """The call as an operator; nothing is kept for a backward pass."""
    output, h_n, c_n = _suited(x, h, c, parameters, has_bias, train=False)
    return output.contiguous(), h_n.contiguous(), c_n.contiguous()


@lstm_layer.register_fake
def _(x: Tensor, h: Tensor, c: Tensor, parameters: list[Tensor], has_bias: bool) -> Three:
    return x.new_empty(*x.shape[:2], h.shape[2]), torch.empty_like(h), torch.empty_like(c)


@torch.library.custom_op("drystone::lstm_layer_backward", mutates_args=())
def lstm_layer_backward(
    gradients: list[Tensor],
    x: Tensor,
    h: Tensor,
    c: Tensor,
    parameters: list[Tensor],
    has_bias: bool,
) -> list[Tensor]:
    """The gradients of x, h, c and the parameters, from those of the three results; runs the layer once more."""
    leaves = [part.detach().requires_grad_() for part in (x, h, c, *parameters)]
    with _autograd(), torch.enable_grad():
        results = _suited(leaves[0], leaves[1], leaves[2], leaves[3:], has_bias, train=True)
        found = torch.autograd.grad(results, leaves, gradients)
    return [part.contiguous() for part in found]


def _autograd() -> AbstractContextManager[Any]:
    """Operators run below autograd; this lets autograd record again, inside of one."""
    return torch._C._SetExcludeDispatchKeyGuard(torch._C.DispatchKey.AutogradFunctionality, False)


@lstm_layer_backward.register_fake
def _(
    gradients: list[Tensor],
    x: Tensor,
    h: Tensor,
    c: Tensor,
    parameters: list[Tensor],
    has_bias: bool,
) -> list[Tensor]:
    return [torch.empty_like(part, memory_format=torch.contiguous_format) for part in (x, h, c, *parameters)]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Three) -> None:
    x, h, c, parameters, ctx.has_bias = inputs
    ctx.save_for_backward(x, h, c, *parameters)


def _backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
    x, h, c, *parameters = ctx.saved_tensors
    found = lstm_layer_backward(list(gradients), x, h, c, parameters, ctx.has_bias)
    return *found[:3], found[3:], None


lstm_layer.register_autograd(_backward, setup_context=_keep)


lstm_layer_backward.register_autograd(refuse_second_derivative)
