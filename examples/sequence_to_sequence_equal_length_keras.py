"""Trains on an output at every input step, with targets [rows, steps, features]: the next step of the same series.

The usual trap: final states are taken where the padded row ends, not where the sequence does, and whatever is built on
them starts from padding. With `valid=`, the LSTM's state is that after each row's last real step. The last step has no
next one: `ahead` marks it as not scored, so that nobody learns to forecast zeros.

Example, on the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/sequence_to_sequence_equal_length_keras.py
"""

import argparse

import keras
import numpy as np

import drystone as ds
from drystone.keras import LSTM, Dataset, WeightedMean


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()

    seqs = ds.read("japanese-vowels")
    is_train = np.array([each["part"] == "train" for each in seqs])
    targeted = seqs.ahead("x", [1], name="next")  # [steps, 1, 12]: the step after
    train, test = targeted.select(is_train), targeted.select(~is_train)

    keras.utils.set_random_seed(0)
    x, valid = keras.Input((None, 12), name="x"), keras.Input((None,), dtype="bool", name="valid")
    outputs, *state = LSTM(args.units, return_sequences=True, return_state=True)(x, valid=valid)
    change = keras.layers.Dense(12)(outputs)
    following = keras.layers.Reshape((-1, 1, 12))(keras.layers.Add()([x, change]))
    model = keras.Model([x, valid], following)
    model.compile(keras.optimizers.Adam(3e-3), WeightedMean("mean_squared_error"))

    layout = ds.Bucketed(boundaries=(14, 20, 29), batch_size=16, pad_to="boundary")

    def dataset(part: ds.Sequences) -> Dataset:
        return Dataset(ds.Loader(part, layout), x=["x", "valid"], y="next")

    model.fit(dataset(train), epochs=args.epochs, verbose=0)
    ours = model.evaluate(dataset(test), verbose=0)
    naive = np.concatenate([np.square(np.diff(each["x"], axis=0)) for each in test]).mean()
    print(f"test: mean squared error {ours:.4g} of the next step; forecasting no change {naive:.4g}")

    states = keras.Model([x, valid], state[0])
    given, _, _ = next(iter(dataset(test)))
    row, steps = 0, int(given["valid"][0].sum())
    alone = {"x": given["x"][:1, :steps], "valid": given["valid"][:1, :steps]}
    difference = abs(states.predict_on_batch(given)[row] - states.predict_on_batch(alone)[0]).max()
    print(f"padded or not: the final state of a sequence differs by at most {difference:.1e}")


if __name__ == "__main__":
    main()
