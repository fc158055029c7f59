"""A validation pass with R² inside of a stateful training loop of one's own, in TensorFlow.

The usual trap: R² is averaged over batches, which is not the R² of the whole; and the validation pass moves the state that
training goes on from. Here four sums over all validation steps give R² once, and the LSTM has a state of its own for
whatever runs with `training=False`.

Example, with a CSV of one series, an hour a line:
    python examples/validation_in_the_loop_tf.py hourly_electricity.csv --time ts --field y
"""

import argparse

import keras
import numpy as np
import tensorflow as tf

import drystone as ds
from drystone.keras import LSTM, to_tf_dataset

NAMES = ["x", "reset", "valid"]


class Forecaster(keras.Model):
    """Says the next step of a series at every step."""

    def __init__(self, units: int, max_rows: int) -> None:
        super().__init__()
        self.lstm = LSTM(units, return_sequences=True, stateful=True, max_rows=max_rows)
        self.head = keras.layers.Dense(1)

    def call(self, given: dict[str, tf.Tensor], *, training: bool = False) -> tf.Tensor:
        outputs = self.lstm(given["x"], reset=given["reset"], valid=given["valid"], training=training)
        return given["x"][..., 0] + self.head(outputs)[..., 0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a CSV or Parquet file of one series")
    parser.add_argument("--time", default="ts", help="the column that orders the steps")
    parser.add_argument("--field", default="y", help="the column to forecast")
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--units", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()

    values = ds.read(args.data, order_by=args.time).field(args.field).values.astype("float32")
    known = values[: int(0.8 * len(values))]
    series = ds.Sequences.from_arrays({"x": [((values - known.mean()) / known.std())[:, None]]})
    targeted = series.ahead("x", [1], name="next")
    train, valid = targeted.split_by_time(fractions=(0.8, 0.2), context=args.steps)
    layout = ds.Stateful(rows=args.rows, steps=args.steps)
    train, valid = (part.cut(args.rows, lead=args.steps) for part in (train, valid))

    keras.utils.set_random_seed(0)
    model, optimizer = Forecaster(args.units, args.rows), keras.optimizers.Adam(3e-3)

    @tf.function
    def update(given: dict[str, tf.Tensor], target: tf.Tensor, weight: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            errors = tf.square(model(given, training=True) - target)
            loss = tf.math.divide_no_nan(tf.reduce_sum(weight * errors), tf.reduce_sum(weight))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    @tf.function
    def sums(given: dict[str, tf.Tensor], target: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
        """Steps, and the sums of squared errors, of targets and of their squares."""
        errors = tf.square(model(given, training=False) - target)
        return tf.stack([tf.reduce_sum(weight * each) for each in (tf.ones_like(target), errors, target, target**2)])

    def epoch_of(part: ds.Sequences):
        for given, target, weight in to_tf_dataset(ds.Loader(part, layout), x=NAMES, y="next"):
            yield given, target[:, :, 0, 0], tf.cast(weight > 0, tf.float32)

    def r_squared() -> float:
        count, errors, total, squares = np.sum([sums(*batch).numpy() for batch in epoch_of(valid)], axis=0, dtype=float)
        return 1 - errors / (squares - total**2 / count)

    for epoch in range(args.epochs):
        for number, batch in enumerate(epoch_of(train)):
            update(*batch)
            if number % 50 == 49:  # in the middle of the epoch: the rows of training go on from where they were
                print(f"epoch {epoch + 1}, update {number + 1}: validation R² {r_squared():.4f}")
        print(f"epoch {epoch + 1}: validation R² {r_squared():.4f}")


if __name__ == "__main__":
    main()
