"""One step of a training loop of one's own, on each backend: values and gradients of any layer or model."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

Array = np.ndarray[Any, Any]
Call = Callable[..., Any]


def value_and_gradients(
    layer: Any, x: Array, loss_of: Callable[[Any], Any], **options: Any
) -> tuple[Any, Array, list[Array]]:
    """Calls a built layer, and keeps what it does to its state.

    Args:
        layer: a built layer or model.
        x: its first argument.
        loss_of: from what the layer returns to a scalar.
        **options: other arguments.

    Returns:
        What the layer returns, as arrays; the gradient of the loss by x; those by all trainable weights.
    """
    run = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.backend.backend()]
    options = {
        name: ops.convert_to_tensor(value) if isinstance(value, np.ndarray) else value
        for name, value in options.items()
    }
    outputs, by_x, gradients = run(layer, ops.convert_to_tensor(x), loss_of, options)
    outputs = keras.tree.map_structure(ops.convert_to_numpy, outputs)
    return outputs, ops.convert_to_numpy(by_x), [ops.convert_to_numpy(part) for part in gradients]


def _tensorflow(layer: Any, x: Any, loss_of: Any, options: Any) -> tuple[Any, Any, Any]:
    import tensorflow as tf

    @tf.function(autograph=False)
    def step() -> tuple[Any, Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x, **options)
            loss = loss_of(outputs)
        by_x, *gradients = tape.gradient(loss, [x, *(weight.value for weight in layer.trainable_weights)])
        return outputs, by_x, gradients

    return step()


def _jax(layer: Any, x: Any, loss_of: Any, options: Any) -> tuple[Any, Any, Any]:
    import jax

    def value(trainable: Any, other: Any, x: Any) -> Any:
        outputs, other = layer.stateless_call(trainable, other, x, **options)
        return loss_of(outputs), (outputs, other)

    trainable = [variable.value for variable in layer.trainable_variables]
    other = [variable.value for variable in layer.non_trainable_variables]
    step = jax.jit(jax.value_and_grad(value, argnums=(0, 2), has_aux=True))
    (_, (outputs, other)), (gradients, by_x) = step(trainable, other, x)
    for variable, kept in zip(layer.non_trainable_variables, other, strict=True):
        variable.assign(kept)
    return outputs, by_x, gradients


def _torch(layer: Any, x: Any, loss_of: Any, options: Any) -> tuple[Any, Any, Any]:
    import torch

    x = x.requires_grad_()
    outputs = layer(x, **options)
    weights = [weight.value for weight in layer.trainable_weights]
    by_x, *gradients = torch.autograd.grad(loss_of(outputs), [x, *weights])
    return keras.tree.map_structure(lambda part: part.detach(), outputs), by_x, gradients
