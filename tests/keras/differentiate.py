"""The gradient of a function of one array, on any backend."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

Array = np.ndarray[Any, Any]


def gradient(function: Callable[[Any], Any], at: Array) -> Array:
    """Returns the gradient of a function that gives one number."""
    backend = os.environ["KERAS_BACKEND"]
    if backend == "tensorflow":
        import tensorflow as tf

        x = tf.Variable(at)
        with tf.GradientTape() as tape:
            value = function(x)
        return np.asarray(tf.convert_to_tensor(tape.gradient(value, x)))
    if backend == "jax":
        import jax

        return np.asarray(jax.grad(function)(at))
    import torch

    x = torch.from_numpy(at).requires_grad_()
    return ops.convert_to_numpy(torch.autograd.grad(function(x), x)[0])
