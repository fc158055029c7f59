"""The call of a fused layer: under autograd, without it, or as an operator for the compiler."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from drystone.torch_ops.fused_operator import fused_layer
from drystone.torch_ops.fused_passes import NUM_DIFFERENTIABLE, Inputs, Maybe, backward, forward

Plain = Callable[[Inputs], tuple[Tensor, Tensor]]  # the same outputs as a differentiable function


def fused_call(inputs: Inputs, plain: Plain) -> tuple[Tensor, Tensor]:
    """Returns h at every cell, [rows, steps, hidden], 0 where it is not valid; and c after each valid cell.

    Args:
        inputs: on a CPU, in float32 or float64.
        plain: does the same step by step; second derivatives come from there. It must not hold tensors of the call.
    """
    if torch.compiler.is_compiling():
        return fused_layer(*inputs)[:2]
    if torch.is_grad_enabled() and any(part is not None and part.requires_grad for part in inputs):
        return FusedFunction.apply(plain, *inputs)
    return forward(inputs, for_backward=False)[:2]


class FusedFunction(torch.autograd.Function):
    """The call as autograd sees it."""

    @staticmethod
    def forward(ctx: Any, plain: Plain, *parts: Any) -> tuple[Tensor, Tensor]:
        """Returns output and cells; what the backward pass needs is kept, none of it as a copy."""
        output, cells, gates, h_before = forward(Inputs(*parts), for_backward=True)
        ctx.plain = plain
        ctx.save_for_backward(*parts, cells, gates, h_before)
        ctx.set_materialize_grads(False)
        return output, cells

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
        """Returns the gradients; where they are to have gradients themselves, or come in batches, those of the plain loop."""
        *parts, cells, gates, h_before = ctx.saved_tensors
        inputs, wanted = Inputs(*parts), list(ctx.needs_input_grad[1:])
        of_output, of_cells = gradients
        with torch.autocast("cpu", enabled=False):
            if torch.is_grad_enabled() or any(map(_is_batched, gradients)):
                found = _plain_gradients((of_output, of_cells), inputs, ctx.plain, wanted)
            else:
                # A graph that is kept may go backward again, and needs its gates then.
                gates = gates.clone() if _graph_is_kept() else gates
                found = backward((of_output, of_cells), inputs, (cells, gates, h_before), wanted)
        return None, *found, None, None, None, None


def _graph_is_kept() -> bool:
    return torch._C._autograd._get_current_graph_task_keep_graph()  # pyright: ignore[reportAttributeAccessIssue]


def _is_batched(gradient: Maybe) -> bool:
    functorch: Any = torch._C._functorch  # pyright: ignore[reportAttributeAccessIssue]
    is_one = gradient is not None
    return is_one and (functorch.is_batchedtensor(gradient) or functorch.is_legacy_batchedtensor(gradient))


def _plain_gradients(gradients: tuple[Maybe, Maybe], inputs: Inputs, plain: Plain, wanted: list[bool]) -> list[Maybe]:
    create_graph = torch.is_grad_enabled()
    with torch.enable_grad():
        # Aliases: one input may depend on another, and its way is not this call's to go.
        aliases = inputs.aliases(wanted)
        values = plain(aliases)
    pairs = [(value, grad) for value, grad in zip(values, gradients, strict=True) if grad is not None]
    if not pairs:
        return [None] * NUM_DIFFERENTIABLE
    leaves = [alias for alias, is_wanted in zip(aliases, wanted, strict=True) if alias is not None and is_wanted]
    outputs, given = zip(*pairs, strict=True)
    found = iter(torch.autograd.grad(outputs, leaves, given, create_graph=create_graph, allow_unused=True))
    return [next(found) if is_wanted else None for is_wanted in wanted[:NUM_DIFFERENTIABLE]]
