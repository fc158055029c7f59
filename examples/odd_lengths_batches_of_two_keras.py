"""Trains on five sequences of 10, 15, 20, 12 and 22 steps × 1 feature in batches of two, the last of which has one.

The usual trap: no mask at all, so that the state goes on through the padding and the last column is read as a sequence's
end; or a fourth axis, because one feature a step is a plain list of numbers. `x` is [rows, steps, 1] here.

Example, on five of the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/odd_lengths_batches_of_two_keras.py
"""

import argparse

import keras
import numpy as np

import drystone as ds
from drystone.keras import LSTM, Dataset

LENGTHS = (10, 15, 20, 12, 22)


def five_sequences() -> ds.Sequences:
    """The first feature of a recording of each length; the target is the mean of the second one."""
    seqs = ds.read("japanese-vowels")
    chosen = [seqs[int(np.flatnonzero(seqs.lengths == length)[0])]["x"] for length in LENGTHS]
    targets = np.array([[x[:, 1].mean()] for x in chosen], dtype="f")
    return ds.Sequences.from_arrays(per_step={"x": [x[:, :1] for x in chosen]}, per_sequence={"y": targets})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=100)
    args = parser.parse_args()

    seqs = five_sequences()
    dataset = Dataset(ds.Loader(seqs, ds.Padded(2)), x=["x", "valid"])
    for x, _, weight in dataset:
        rows, steps, _ = x["x"].shape
        print(f"a batch of {rows} × {steps} cells, {int(x['valid'].sum())} valid, {int((weight > 0).sum())} sequences")

    keras.utils.set_random_seed(0)
    x, valid = keras.Input((None, 1), name="x"), keras.Input((None,), dtype="bool", name="valid")
    model = keras.Model([x, valid], keras.layers.Dense(1)(LSTM(16)(x, valid=valid)))
    model.compile(keras.optimizers.Adam(1e-2), "mean_squared_error")
    losses = model.fit(dataset, epochs=args.epochs, verbose=0).history["loss"]
    print(f"mean squared error of 5 sequences: {losses[0]:.4f} in epoch 1, {losses[-1]:.4f} in epoch {len(losses)}")

    together, _, _ = next(iter(Dataset(ds.Loader(seqs, ds.Padded(5, order="given")), x=["x", "valid"])))
    alone = [{"x": each["x"][None], "valid": np.ones((1, len(each["x"])), bool)} for each in seqs]
    difference = model.predict_on_batch(together) - np.concatenate([model.predict_on_batch(each) for each in alone])
    print(f"alone or in a batch: results differ by at most {abs(difference).max():.1e}")


if __name__ == "__main__":
    main()
