"""Speed of one LSTM layer, forward and backward: drystone's on PyTorch beside Keras' own with a mask, on TensorFlow and JAX.

    python benchmarks/lstm_keras.py
    python benchmarks/lstm_keras.py --hidden 256 --updates 16

Lognormal lengths (mean about 59, cut at 422 steps), float32, updates of 64 random sequences each, as in lstm.py. Keras
gets them padded, with a mask; lengths of batches are rounded up to a multiple of 64 steps, so that few shapes are compiled. What is timed: the layer, the sum of its output at real
steps, and the gradients of its parameters, compiled (`tf.function`, `jax.jit`); all shapes are compiled in a pass before. Each contestant runs in a process
of its own, since Keras has one backend a process; the contestants take turns. Medians of real steps a second.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from common import arguments_of, fresh_process, lognormal_lengths, markdown, seconds_of, timed, where, write

BATCH_SIZE, MAX_STEPS, MULTIPLE = 64, 422, 64
MEAN_LOG = float(np.log(61) - 0.8**2 / 2)
OURS = "drystone, Packed"
KERAS = {"Keras, mask, TensorFlow": "tensorflow", "Keras, mask, JAX": "jax"}
Array = np.ndarray[Any, Any]


def padded_batches(arguments: Namespace) -> list[tuple[Array, Array]]:
    """Returns x [64, steps, features] and masks [64, steps]."""
    lengths = lognormal_lengths(BATCH_SIZE * arguments.updates, arguments.seed, MEAN_LOG, MAX_STEPS)
    rng = np.random.default_rng(arguments.seed)
    found: list[tuple[Array, Array]] = []
    for some in lengths.reshape(arguments.updates, BATCH_SIZE):
        num_steps = -(-int(some.max()) // MULTIPLE) * MULTIPLE
        x = rng.standard_normal((BATCH_SIZE, num_steps, arguments.features), dtype=np.float32)
        found.append((x, np.arange(num_steps) < some[:, None]))
    return found


def keras_pass(arguments: Namespace) -> Callable[[], None]:
    """Returns a pass over all updates."""
    here = str(Path(__file__).parent)
    sys.path[:] = [
        *(path for path in sys.path if path != here),
        here,
    ]  # `import keras` must not find keras.py beside this file
    import keras

    layer = keras.layers.LSTM(arguments.hidden, return_sequences=True)
    given = padded_batches(arguments)
    layer.build(given[0][0].shape)
    return (_on_tensorflow if keras.backend.backend() == "tensorflow" else _on_jax)(layer, given)


def _on_tensorflow(layer: Any, given: list[tuple[Array, Array]]) -> Callable[[], None]:
    import tensorflow as tf

    @tf.function
    def gradients(x: Any, mask: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x, mask=mask) * tf.cast(mask[:, :, None], x.dtype))
        return tape.gradient(loss, [weight.value for weight in layer.trainable_variables])

    tensors = [(tf.constant(x), tf.constant(mask)) for x, mask in given]

    def run() -> None:
        for x, mask in tensors:
            gradients(x, mask)[0].numpy()

    return run


def _on_jax(layer: Any, given: list[tuple[Array, Array]]) -> Callable[[], None]:
    import jax

    def loss(weights: Any, x: Any, mask: Any) -> Any:
        output, _ = layer.stateless_call(weights, [each.value for each in layer.non_trainable_variables], x, mask=mask)
        return (output * mask[:, :, None]).sum()

    gradients = jax.jit(jax.grad(loss))
    weights = [weight.value for weight in layer.trainable_variables]
    arrays = [(jax.numpy.asarray(x), jax.numpy.asarray(mask)) for x, mask in given]

    def run() -> None:
        for x, mask in arrays:
            jax.block_until_ready(gradients(weights, x, mask))

    return run


def our_pass(arguments: Namespace) -> Callable[[], None]:
    """Returns a pass over the same sequences, packed in the same updates."""
    import torch

    import drystone as ds
    from drystone.torch import LSTM, batches

    torch.set_num_threads(arguments.threads)
    sequences = [x[row, valid[row]] for x, valid in padded_batches(arguments) for row in range(BATCH_SIZE)]
    seqs = ds.Sequences.from_arrays(per_step={"x": sequences})
    given = list(batches(ds.Loader(seqs, ds.Packed(sequences=BATCH_SIZE, order="given"))))
    lstm = LSTM(arguments.features, arguments.hidden)

    def run() -> None:
        for batch in given:
            lstm.zero_grad()
            lstm.run(batch["x"], batch.grid).output.sum().backward()

    return run


def on_threads(backend: str, threads: int) -> None:
    """Sets backend and threads, before anything imports them."""
    os.environ |= {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "2"}
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def seconds_in_process(name: str, arguments: Namespace) -> float:
    """Returns the seconds of a pass, after one to warm up, in a process of its own."""
    with fresh_process(on_threads, KERAS.get(name, "torch"), arguments.threads) as process:
        return process.submit(seconds_of_pass, name, arguments).result()


def seconds_of_pass(name: str, arguments: Namespace) -> float:
    run = our_pass(arguments) if name == OURS else keras_pass(arguments)
    run()
    return seconds_of(run)


def main() -> None:
    parser = arguments_of(__doc__, "lstm_keras")
    parser.add_argument("--updates", type=int, default=32)
    parser.add_argument("--features", type=int, default=64)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="cores used; default: all")
    arguments = parser.parse_args()
    lengths = lognormal_lengths(BATCH_SIZE * arguments.updates, arguments.seed, MEAN_LOG, MAX_STEPS)
    load_before = os.getloadavg()[0]
    turns = {name: partial(seconds_in_process, name, arguments) for name in (*KERAS, OURS)}
    medians = timed(turns, arguments.repeats, warm_ups=0)
    speeds = {name: float(lengths.sum()) / seconds for name, seconds in medians.items()}
    rows = [[name, f"{speed / 1e3:,.1f} k", f"{speeds[OURS] / speed:.2f}"] for name, speed in speeds.items()]
    print(markdown(("", "real steps/s", "drystone is × as fast"), rows))
    settings = {key: value for key, value in vars(arguments).items() if key != "json"}
    loads = [load_before, os.getloadavg()[0]]
    packages = ("drystone", "numpy", "torch", "keras", "tensorflow-cpu", "jax")
    write(
        arguments.json, {**where(packages), **settings, "load_before_and_after": loads, "real_steps_per_second": speeds}
    )


if __name__ == "__main__":
    main()
