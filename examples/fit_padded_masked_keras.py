"""Trains with `model.fit` on padded sequences of 5 to 14 steps.

The usual trap: the mask is guessed from the value 0.0, so a real step whose features are all 0 vanishes. Here the mask
comes from the true lengths, as an input of its own. Some real steps are set to 0 below, to show that they count.

Example, on the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/fit_padded_masked_keras.py --epochs 20
"""

import argparse

import keras
import numpy as np

import drystone as ds
from drystone.keras import LSTM, Dataset


def recordings(part: str) -> ds.Sequences:
    """Recordings of 5 to 14 steps, silent now and then, and the number of their speaker."""
    seqs = ds.read("japanese-vowels")
    speakers = sorted(set(seqs.field("speaker").values))
    chosen = [each for each in seqs if each["part"] == part and 5 <= len(each["x"]) <= 14]
    arrays = [each["x"].copy() for each in chosen]
    for number, array in enumerate(arrays):
        array[number % len(array)] = 0.0  # a real step of zeros
    return ds.Sequences.from_arrays({"x": arrays}, {"y": [speakers.index(each["speaker"]) for each in chosen]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()

    keras.utils.set_random_seed(0)
    x, valid = keras.Input((None, 12), name="x"), keras.Input((None,), dtype="bool", name="valid")
    model = keras.Model([x, valid], keras.layers.Dense(9, activation="softmax")(LSTM(64)(x, valid=valid)))
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])

    train, test = (
        Dataset(ds.Loader(seqs, layout), x=["x", "valid"])
        for seqs, layout in ((recordings("train"), ds.Padded(16)), (recordings("test"), ds.Padded(64, order="given")))
    )
    history = model.fit(train, epochs=args.epochs, verbose=0).history
    print(f"training: loss {history['loss'][-1]:.4f}, accuracy {history['accuracy'][-1]:.1%}")
    loss, accuracy = model.evaluate(test, verbose=0)
    print(f"test: loss {loss:.4f}, accuracy {accuracy:.1%} of {len(recordings('test'))} recordings")

    silent = np.zeros((1, 3, 12), "float32")
    kept, lost = (
        keras.ops.convert_to_numpy(model({"x": silent, "valid": np.array([valid])}))
        for valid in ([True, True, True], [True, True, False])
    )
    print(f"a third step of zeros counts: {bool(abs(kept - lost).max() > 1e-4)}")


if __name__ == "__main__":
    main()
