"""Predicts over a new, longer series in order, the state carried from chunk to chunk; as many predictions as steps.

The usual trap: the last steps don't fill a batch and their predictions are lost; or predicting moves the state that training
goes on from. Here the last chunk is padded and marked, and a stateful `drystone.keras.LSTM` has one state for training and
another one for prediction.

Example, with a CSV of one series, an hour a line:
    python examples/stateful_prediction_keras.py hourly_electricity.csv --time ts --field y
"""

import argparse

import keras
import numpy as np

import drystone as ds
from drystone.keras import LSTM, Dataset, WeightedMean

NAMES = ["x", "reset", "valid"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a CSV or Parquet file of one series")
    parser.add_argument("--time", default="ts", help="the column that orders the steps")
    parser.add_argument("--field", default="y", help="the column to forecast")
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--units", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()

    values = ds.read(args.data, order_by=args.time).field(args.field).values.astype("float32")
    cut = len(values) // 3  # a third to train on; the new series is longer
    scaled = ((values - values[:cut].mean()) / values[:cut].std())[:, None]
    old, new = (
        ds.Sequences.from_arrays({"x": [part]}).ahead("x", [1], "next") for part in (scaled[:cut], scaled[cut:])
    )

    keras.utils.set_random_seed(0)
    x = keras.Input((None, 1), name="x")
    reset, valid = (keras.Input((None,), dtype="bool", name=name) for name in NAMES[1:])
    lstm = LSTM(args.units, return_sequences=True, stateful=True, max_rows=args.rows)
    following = keras.layers.Add()([x, keras.layers.Dense(1)(lstm(x, reset=reset, valid=valid))])
    model = keras.Model([x, reset, valid], keras.layers.Reshape((-1, 1, 1))(following))
    model.compile(keras.optimizers.Adam(3e-3), WeightedMean("mean_squared_error"))
    rows = old.cut(args.rows, lead=args.steps)
    training = Dataset(ds.Loader(rows, ds.Stateful(rows=args.rows, steps=args.steps)), x=NAMES, y="next")
    model.fit(training, epochs=args.epochs, verbose=0)

    def predictions(series: ds.Sequences, steps: int) -> np.ndarray:
        chunks = Dataset(ds.Loader(series, ds.Stateful(rows=1, steps=steps)), x=NAMES, y=None)
        found = [model.predict_on_batch(given)[given["valid"]] for given, *_ in chunks]
        lstm.reset_state(training=False)
        return np.concatenate(found)[:, 0, 0]

    before = [keras.ops.convert_to_numpy(part) for part in lstm.kept_state.of(training=True)]
    found = predictions(new, args.steps)
    whole = predictions(new, new.num_steps)
    after = [keras.ops.convert_to_numpy(part) for part in lstm.kept_state.of(training=True)]
    target = new[0]["x"][1:, 0]
    print(f"{len(found)} predictions for {new.num_steps} steps")
    print(f"in chunks or in one pass: they differ by at most {abs(found - whole).max():.1e}")
    print(f"the state of training is untouched: {all(map(np.array_equal, before, after))}")
    print(
        f"mean squared error {np.square(found[:-1] - target).mean():.4g} of the next step; "
        f"forecasting no change {np.square(np.diff(new[0]['x'][:, 0])).mean():.4g}"
    )


if __name__ == "__main__":
    main()
