"""Forecasts a series from windows of its past with `model.fit`, batches of 32, and no state between windows.

The usual trap: windows are cut first and split afterwards, so that those of the test period overlap the training
period; and the scaling is fitted on all of the data. Here the series is split by time before windows are made, so that
no two parts score the same target; `context` lets the inputs of a part, and only those, reach back into the one before.

Example, with a CSV of one series, an hour a line:
    python examples/stateless_windows_forecast_keras.py hourly_electricity.csv --time ts --field y
"""

import argparse

import keras
import numpy as np

import drystone as ds
from drystone.keras import LSTM, Dataset, WeightedMean


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a CSV or Parquet file of one series")
    parser.add_argument("--time", default="ts", help="the column that orders the steps")
    parser.add_argument("--field", default="y", help="the column to forecast")
    parser.add_argument("--steps", type=int, default=168, help="steps of a window")
    parser.add_argument("--horizon", type=int, default=24, help="steps to forecast, at most those of a window")
    parser.add_argument("--stride", type=int, default=6, help="steps between the starts of training windows")
    parser.add_argument("--units", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=6)
    args = parser.parse_args()

    series = ds.read(args.data, order_by=args.time).ahead(args.field, range(1, args.horizon + 1), name="target")
    parts = series.split_by_time(fractions=(0.7, 0.15, 0.15), context=args.steps)
    strides = (args.stride, args.horizon, args.horizon)
    train, valid, test = (
        part.windows(args.steps, stride=stride, horizon=args.horizon)
        for part, stride in zip(parts, strides, strict=True)
    )
    print(f"windows: {len(train)} to train on, {len(valid)} to choose the epoch by, {len(test)} to test")
    known = parts[0].field(args.field).values
    mean, deviation = float(known.mean()), float(known.std())

    keras.utils.set_random_seed(0)
    values = keras.Input((args.steps,), name=args.field)
    x = keras.layers.Reshape((args.steps, 1))(values)
    scaled = keras.layers.Rescaling(1 / deviation, -mean / deviation)(x)
    change = keras.layers.Dense(args.horizon)(LSTM(args.units, return_sequences=True)(scaled))
    last = keras.layers.Concatenate()([x] * args.horizon)
    model = keras.Model(values, keras.layers.Add()([last, keras.layers.Rescaling(deviation)(change)]))
    model.compile(keras.optimizers.Adam(3e-3), WeightedMean("mean_absolute_error"))

    def dataset(windows: ds.Sequences, layout: ds.Layout) -> Dataset:
        """Only the last step of a window is scored: all others have weight 0."""
        return Dataset(ds.Loader(windows, layout), x=args.field, y="target")

    model.fit(
        dataset(train, ds.Padded(32)),
        validation_data=dataset(valid, ds.Padded(256, order="given")),
        epochs=args.epochs,
        callbacks=[keras.callbacks.EarlyStopping(patience=args.epochs, restore_best_weights=True)],
        verbose=0,
    )
    error = model.evaluate(dataset(test, ds.Padded(256, order="given")), verbose=0)
    naive = [abs(window["target"][-1] - window[args.field][-args.horizon :]).mean() for window in test]
    print(f"test: mean absolute error {error:.4g}; repeating the last {args.horizon} steps {np.mean(naive):.4g}")


if __name__ == "__main__":
    main()
