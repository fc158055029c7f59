"""Trains on sequences of one length in a loop of one's own in TensorFlow: batches of 32, of which the last is smaller.

The usual trap: the loss printed for an epoch is that of its last batch, or a mean of batch means, in which the four
sequences of the last batch weigh as much as the 32 of any other. Here the sums are divided once, by all sequences.

Example, on the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/fixed_length_custom_loop_tf.py --epochs 20
"""

import argparse

import keras
import numpy as np
import tensorflow as tf

import drystone as ds
from drystone.keras import LSTM, to_tf_dataset


def recordings() -> ds.Sequences:
    """100 recordings × 10 steps × 3 features, and whether each is of one of the first four speakers."""
    seqs = ds.read("japanese-vowels")
    long_enough = seqs.select(np.flatnonzero(seqs.lengths >= 10)).truncate(10)
    rng = np.random.default_rng(0)
    chosen = [long_enough[index] for index in rng.permutation(len(long_enough))[:100]]
    return ds.Sequences.from_arrays(
        per_step={"x": [each["x"][:, :3] for each in chosen]},
        per_sequence={"y": np.array([each["speaker"] in ("1", "2", "3", "4") for each in chosen], dtype="f")},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((10, 3)), LSTM(64), keras.layers.Dense(1, activation="sigmoid")])
    optimizer = keras.optimizers.Adam(3e-3)

    @tf.function
    def update(x: tf.Tensor, y: tf.Tensor, is_real: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the losses and the probabilities of a batch; the weights move by the mean of its losses."""
        with tf.GradientTape() as tape:
            probability = model(x, training=True)[:, 0]
            losses = keras.losses.binary_crossentropy(y[:, None], probability[:, None])
            loss = tf.reduce_mean(losses[is_real])
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return losses[is_real], probability[is_real]

    batches = to_tf_dataset(ds.Loader(recordings(), ds.Padded(32)))  # a pass is an epoch, in another order each time
    for epoch in range(args.epochs):
        loss_sum, right, count = 0.0, 0, 0
        for x, y, weight in batches:
            is_real = weight > 0  # the last batch has as many rows as the others: what was added weighs nothing
            losses, probability = update(x, y, is_real)
            loss_sum += float(tf.reduce_sum(losses))
            right += int(tf.reduce_sum(tf.cast((probability > 0.5) == (y[is_real] > 0.5), tf.int32)))
            count += len(losses)
        print(f"epoch {epoch + 1}: loss {loss_sum / count:.4f}, accuracy {right / count:.1%} of {count} sequences")


if __name__ == "__main__":
    main()
