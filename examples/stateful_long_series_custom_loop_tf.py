"""Trains on one long series in a loop of one's own in TensorFlow: 32 rows of 20 steps, the state carried over batches.

The usual trap: row i of a batch does not continue row i of the batch before; the remainder of the series is thrown
away; and the target is among the inputs. Here the series is cut into 32 parts, one a row, each with the 20 steps
before it to warm its state up; the last cells are marked as padding, and the target is the next step of the first field.

Example, with a CSV of one series, several numbers a line:
    python examples/stateful_long_series_custom_loop_tf.py ETTh1.csv --time date
"""

import argparse

import keras
import numpy as np
import tensorflow as tf

import drystone as ds
from drystone.keras import LSTM, to_tf_dataset


def series_of(path: str, time: str) -> ds.Sequences:
    """One series of all numbers of a file, standardised by its first 80%."""
    table = ds.read(path, order_by=time)
    names = [name for name in table.field_names if name != time and table.field(name).is_numeric]
    x = np.stack([table.field(name).values for name in names], axis=1).astype("float32")
    known = x[: int(0.8 * len(x))]
    return ds.Sequences.from_arrays({"x": [(x - known.mean(0)) / known.std(0)]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a CSV or Parquet file of one series")
    parser.add_argument("--time", default="date", help="the column that orders the steps")
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--units", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()

    series = series_of(args.data, args.time).ahead("x", [1], name="next")
    num_features = series.field("x").item_shape[0]
    parts = series.cut(args.rows, lead=args.steps)
    loader = ds.Loader(parts, ds.Stateful(rows=args.rows, steps=args.steps))
    print(f"{series.num_steps} steps of {num_features} numbers; {parts.notes[-1]}")

    keras.utils.set_random_seed(0)
    lstm = LSTM(args.units, return_sequences=True, stateful=True, max_rows=args.rows)
    head, optimizer = keras.layers.Dense(1), keras.optimizers.Adam(3e-3)
    head.build((None, None, args.units))
    lstm.build((args.rows, args.steps, num_features))
    variables = [*lstm.trainable_variables, *head.trainable_variables]

    @tf.function
    def update(given: dict[str, tf.Tensor], target: tf.Tensor, weight: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the sums of squared errors and of weights; the state goes on inside of the layer."""
        with tf.GradientTape() as tape:
            outputs = lstm(given["x"], reset=given["reset"], valid=given["valid"], training=True)
            errors = tf.square(head(outputs)[..., 0] - target[:, :, 0, 0])
            error_sum, count = tf.reduce_sum(weight * errors), tf.reduce_sum(weight)
            loss = tf.math.divide_no_nan(error_sum, count)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return error_sum, count

    for epoch in range(args.epochs):  # each epoch's data reset every row at its start
        error_sum = count = 0.0
        for given, target, weight in to_tf_dataset(loader, x=["x", "reset", "valid"], y="next"):
            is_scored = tf.cast(
                weight > 0, tf.float32
            )  # weights are scaled for Keras' own means: here each step is one
            found, number = update(given, target, is_scored)
            error_sum, count = error_sum + float(found), count + float(number)
        print(f"epoch {epoch + 1}: mean squared error {error_sum / count:.4g} of {count:.0f} steps")


if __name__ == "__main__":
    main()
