"""Conditions on values that a graph knows only when it runs."""

from typing import Any

import keras

from drystone.core.errors import ShapeError


def guard(value: Any, holds: Any, message: str) -> Any:
    """Returns the value where a condition holds, and raises ShapeError where it is known not to.

    In a graph of TensorFlow the condition becomes an assertion, without which the value cannot be had; it fails with
    this message. In a function that JAX compiles, nothing can be checked: JAX has no assertions there.

    Args:
        value: what needs the condition, anything or a tensor.
        holds: a bool, or a tensor of one.
        message: what to say.

    Example:
        >>> guard("value", 1 + 1 == 2, "arithmetic is broken")
        'value'
    """
    if isinstance(holds, bool):
        known = True
    else:
        match keras.backend.backend():
            case "tensorflow":
                import tensorflow as tf

                known = tf.executing_eagerly()
                if not known:
                    with tf.control_dependencies([tf.debugging.Assert(holds, [message])]):
                        return tf.identity(value)
            case "jax":
                from jax.core import Tracer

                known = not isinstance(holds, Tracer)
            case _:
                known = holds.device.type != "meta"
    if known and not bool(holds):
        raise ShapeError(message)
    return value


def has_shapes_only(x: Any) -> bool:
    """Returns whether Keras runs a layer on stand-ins of this tensor, of some size or other, to learn shapes.

    Those are tensors of PyTorch without values, and arrays of JAX whose sizes are symbols.
    """
    on_meta = getattr(getattr(x, "device", None), "type", None) == "meta"
    return on_meta or not all(size is None or isinstance(size, int) for size in x.shape)
