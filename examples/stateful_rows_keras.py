"""Trains with `stateful=True` and `train_on_batch`: batches of 10 rows × 20 steps, the state carried from batch to batch.

The usual trap: row i of a batch does not continue row i of the one before, so state is carried between sequences that
have nothing to do with each other; `model.reset_states()` is gone from Keras 3, and Keras' own `stateful=True` carries
nothing on JAX and breaks on PyTorch. `Stateful` lays whole sequences end to end on ten tapes, `reset` zeroes a row
exactly where a sequence starts, and `drystone.keras.LSTM` keeps its state on every backend.

Example, on the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/stateful_rows_keras.py --epochs 10
"""

import argparse

import keras
import numpy as np

import drystone as ds
from drystone.keras import LSTM, Dataset, WeightedMean


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=5)
    args = parser.parse_args()

    seqs = ds.read("japanese-vowels").ahead("x", [1], name="next")  # forecast the next step, where there is one
    keras.utils.set_random_seed(0)
    x = keras.Input((None, 12), batch_size=10, name="x")
    reset, valid = (keras.Input((None,), batch_size=10, dtype="bool", name=name) for name in ("reset", "valid"))
    lstm = LSTM(32, return_sequences=True, stateful=True)
    following = keras.layers.Add()([x, keras.layers.Dense(12)(lstm(x, reset=reset, valid=valid))])
    model = keras.Model([x, reset, valid], keras.layers.Reshape((-1, 1, 12))(following))
    model.compile(keras.optimizers.Adam(3e-3), WeightedMean("mean_squared_error"))

    loader = ds.Loader(seqs, ds.Stateful(rows=10, steps=20))
    dataset = Dataset(loader, x=["x", "reset", "valid"], y="next")
    print(f"{len(dataset)} batches of 10 × 20 cells, {loader.plan.padding_fraction:.1%} padding, no step left out")
    for epoch in range(args.epochs):
        lstm.reset_state()  # each row starts with a reset in any case: this is for whoever looks at the state
        model.reset_metrics()
        loss = 0.0
        for inputs, target, weight in dataset:
            loss = model.train_on_batch(inputs, target, sample_weight=weight)  # the mean of the epoch so far
        print(f"epoch {epoch + 1}: mean squared error {float(np.squeeze(loss)):.4g} of the next step")


if __name__ == "__main__":
    main()
