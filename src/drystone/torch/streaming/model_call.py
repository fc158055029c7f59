"""The model as the predictor calls it: in evaluation mode, without gradients, and what it returns checked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from drystone.core.errors import ShapeError
from drystone.torch.streaming.nest import leaves_of, put_together, structure_of

Model = Callable[[Tensor, Any], tuple[Tensor, Any]]


def module_of(model: Any) -> nn.Module | None:
    """Returns the module behind a model: itself, or the one whose method it is."""
    found = getattr(model, "__self__", model)
    return found if isinstance(found, nn.Module) else None


def first_weight(module: nn.Module | None) -> Tensor:
    """Returns the first parameter or buffer with a floating-point type; an empty one where there is none."""
    if module is not None:
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point():
                return tensor
    return torch.empty(0)


@contextmanager
def undisturbed(module: nn.Module | None, device: torch.device) -> Iterator[None]:
    """Runs without gradients and in evaluation mode; modes and random numbers are afterwards what they were."""
    in_training = [] if module is None else [part for part in module.modules() if part.training]
    try:
        if module is not None and in_training:
            module.eval()
        with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.no_grad():
            yield
    finally:
        for part in in_training:
            part.training = True


def call(model: Model, x: Tensor, state: Any) -> tuple[Tensor, Any]:
    """Returns outputs and state of a model.

    Raises:
        ShapeError: it returned something else.
    """
    returned = model(x, state)
    if not isinstance(returned, tuple) or len(returned) != 2 or not isinstance(returned[0], Tensor):
        raise ShapeError(f"the model returned a {type(returned).__name__}; it must return (outputs, state).")
    outputs, state = returned
    if outputs.shape[:2] != x.shape[:2]:
        raise ShapeError(
            f"the model returned outputs of shape {tuple(outputs.shape)}; "
            f"expected [{x.shape[0]} rows, {x.shape[1]} steps, ...] (batch_first=True)."
        )
    return outputs, state


def check_zeros(model: Model, step: Tensor) -> None:
    """Proves with one step, [1, features], that a model takes None as a state of zeros, which new streams get.

    Raises:
        ShapeError: it does not.
    """
    x = step[None]
    outputs, state = call(model, x, None)
    zeros = put_together(structure_of(state), iter([torch.zeros_like(leaf) for leaf in leaves_of(state)]))
    from_zeros, _ = call(model, x, zeros)
    if not torch.allclose(outputs.double(), from_zeros.double(), rtol=1e-3, atol=1e-5, equal_nan=True):
        raise ShapeError(
            "the model starts from another state than zeros where the state is None, so streams that begin beside others "
            "would start differently. Let it return states as differences from its start, or begin with zeros."
        )
