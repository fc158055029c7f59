"""One epoch of `fit` in Keras 3: plain padding and Masking, tf.data bucketing, and drystone.keras, in real steps a second.

    python benchmarks/keras.py
    python benchmarks/keras.py --backend jax --repeats 5

Sequences of lognormal lengths (mean about 61, cut at 422 steps) are classified: LSTM(128) and a softmax, Adam, 64
sequences an update on average. The contestants take turns, each time in a process of its own, since what one leaves
behind slows others down (JAX runs at half its speed once tf.data has run beside it). Compilation is counted in, imports
are not; medians are printed. Only real steps count.

- plain: all sequences padded to the longest, `Masking`, `keras.layers.LSTM`, `fit` on the arrays, batches of 64.
- bucketed: `tf.data` with `bucket_by_sequence_length`, ten buckets of equally many sequences, batches of 64, padded to the
  boundary of the bucket (fewer shapes to compile, which is faster here than padding to the longest of the batch);
  `Masking` and the same model.
- drystone, bucketed: ten buckets with the boundaries that `Bucketed` finds, batches of 64, padded to the boundary;
  `drystone.keras.Dataset` and `drystone.keras.LSTM`.
- drystone, packed: `Packed(rows, steps)`, one shape; the last outputs are gathered by sequence.

Drawing the data, padding it for *plain*, and planning are not timed; filling the batches is.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = str(Path(__file__).parent)
sys.path = [*(path for path in sys.path if path != HERE), HERE]  # `import keras` must not find this file

from common import arguments_of, fresh_process, lognormal_lengths, markdown, quantiles, seconds_of, timed, where, write

BACKENDS = ("tensorflow", "jax", "torch")
BATCH_SIZE = 64
NUM_BUCKETS = 10
NUM_CLASSES = 5
MEAN_LOG = float(np.log(61) - 0.8**2 / 2)  # of a lognormal of mean 61
MAX_STEPS = 422
PACKED_STEPS = 512
HEADERS = ("", "real steps/s", "÷ plain", "÷ bucketed")
PLAIN, BUCKETED = "Keras, plain", "Keras, bucketed"
OUR_BUCKETED, PACKED = "drystone, bucketed", "drystone, packed"
CONTESTANTS = (PLAIN, BUCKETED, OUR_BUCKETED, PACKED)
VERSIONS = ("drystone", "numpy", "keras", "tensorflow-cpu", "jax", "torch")


def main() -> None:
    arguments = arguments_given()
    figures: dict[str, Any] = {}
    for backend in BACKENDS if arguments.backend is None else (arguments.backend,):
        figures[backend] = figures_of(backend, arguments)
        print(f"\n{backend}\n")
        print(markdown(HEADERS, [line(*each) for each in figures[backend].items()]), flush=True)
    settings = {key: value for key, value in vars(arguments).items() if key != "json"}
    write(arguments.json, {**where(VERSIONS), **settings, "figures": figures})


def run_on(backend: str) -> None:
    """Chooses the backend of Keras, before anything imports it."""
    os.environ |= {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "2"}


def arguments_given() -> Namespace:
    parser = arguments_of(__doc__, "keras")
    parser.add_argument("--backend", choices=BACKENDS, help="only this one; default: all")
    parser.add_argument("--sequences", type=int, default=4096)
    parser.add_argument("--features", type=int, default=32)
    parser.add_argument("--units", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


def figures_of(backend: str, arguments: Namespace) -> dict[str, dict[str, float]]:
    """Returns real steps a second of each contestant, and how many times as fast as others it is."""

    def seconds(name: str) -> float:
        with fresh_process(run_on, backend) as process:
            return process.submit(seconds_of_epoch, name, arguments).result()

    turns = {name: partial(seconds, name) for name in CONTESTANTS}
    medians = timed(turns, arguments.repeats, warm_ups=0)
    num_steps = int(lengths_of(arguments).sum())
    return {
        name: {
            "real_steps_per_second": num_steps / median,
            "of_plain": medians[PLAIN] / median,
            "of_bucketed": medians[BUCKETED] / median,
        }
        for name, median in medians.items()
    }


def lengths_of(arguments: Namespace) -> Any:
    return lognormal_lengths(arguments.sequences, arguments.seed, MEAN_LOG, MAX_STEPS)


def seconds_of_epoch(name: str, arguments: Namespace) -> float:
    """Returns the seconds of one epoch of a new model, in a process that has run none."""
    lengths = lengths_of(arguments)
    rng = np.random.default_rng(arguments.seed)
    x = rng.standard_normal((int(lengths.sum()), arguments.features), dtype=np.float32)
    y = rng.integers(0, NUM_CLASSES, len(lengths))
    epochs = their_epochs if name in (PLAIN, BUCKETED) else our_epochs
    return seconds_of(epochs(lengths, x, y, arguments.units)[name])


def line(name: str, found: dict[str, float]) -> list[str]:
    return [name, f"{found['real_steps_per_second']:,.0f}", f"{found['of_plain']:.2f}", f"{found['of_bucketed']:.2f}"]


def compiled(inputs: Any, last: Any) -> Any:
    import keras

    model = keras.Model(inputs, keras.layers.Dense(NUM_CLASSES)(last))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    return model


def their_epochs(lengths: Any, x: Any, y: Any, units: int) -> dict[str, Callable[[], object]]:
    import keras
    import tensorflow as tf

    ragged = np.split(x, np.cumsum(lengths)[:-1])
    padded = keras.utils.pad_sequences(ragged, dtype="float32", padding="post")
    boundaries = quantiles(lengths, NUM_BUCKETS)

    def model() -> Any:
        given = keras.Input((None, x.shape[1]))
        return compiled(given, keras.layers.LSTM(units)(keras.layers.Masking()(given)))

    def bucketed() -> Any:
        signature = tf.TensorSpec((None, x.shape[1]), tf.float32), tf.TensorSpec((), tf.int64)
        data = tf.data.Dataset.from_generator(lambda: zip(ragged, y, strict=True), output_signature=signature)
        return (
            data.shuffle(len(y))
            .bucket_by_sequence_length(
                element_length_func=lambda values, _: tf.shape(values)[0],
                bucket_boundaries=[boundary + 1 for boundary in (*boundaries, MAX_STEPS)],
                bucket_batch_sizes=[BATCH_SIZE] * (len(boundaries) + 2),
                pad_to_bucket_boundary=True,
            )
            .prefetch(tf.data.AUTOTUNE)
        )

    return {
        PLAIN: lambda: model().fit(padded, y, batch_size=BATCH_SIZE, verbose=0),
        BUCKETED: lambda: model().fit(bucketed(), verbose=0),
    }


def our_epochs(lengths: Any, x: Any, y: Any, units: int) -> dict[str, Callable[[], object]]:
    import keras

    import drystone as ds
    from drystone.keras import LSTM, BySequence, Dataset

    seqs = ds.Sequences.from_ragged(np.append(0, np.cumsum(lengths)), per_step={"x": x}, per_sequence={"y": y})
    bucketed = ds.Bucketed(num_buckets=NUM_BUCKETS, batch_size=BATCH_SIZE, pad_to="boundary")
    rows = round(BATCH_SIZE * float(lengths.mean()) / PACKED_STEPS)
    packed = ds.Packed(rows=rows, steps=PACKED_STEPS, constant_shape=True)
    features, reset, valid, ends = (
        keras.Input((None, x.shape[1]), name="x"),
        keras.Input((None,), dtype="bool", name="reset"),
        keras.Input((None,), dtype="bool", name="valid"),
        keras.Input((), dtype="int32", name="ends"),
    )

    def one_a_row() -> object:
        model = compiled([features, valid], LSTM(units)(features, valid=valid))
        return model.fit(Dataset(ds.Loader(seqs, bucketed), x=["x", "valid"], y="y"), verbose=0)

    def end_to_end() -> object:
        outputs = LSTM(units, return_sequences=True)(features, reset=reset, valid=valid)
        model = compiled([features, reset, valid, ends], BySequence("last")(outputs, ends=ends))
        given = ["x", "reset", "valid", "ends"]
        return model.fit(Dataset(ds.Loader(seqs, packed), x=given, y="y"), verbose=0)

    return {OUR_BUCKETED: one_a_row, PACKED: end_to_end}


if __name__ == "__main__":
    main()
