"""Passes masks from the true lengths to every layer that needs them, in a functional model with an output at every step.

The usual trap: a mask of floats that a layer takes for numbers; or a mask that reaches the LSTM and then neither the loss
nor the metrics, so that padding counts in what is printed. Here masks are bool inputs, checked by the LSTM, and weights
of 0 keep padding out of loss and metrics.

Example, on the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/explicit_masks_keras.py --epochs 10
"""

import argparse

import keras
import numpy as np

import drystone as ds
from drystone.keras import LSTM, Bidirectional, Dataset, WeightedMean


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args()

    seqs = ds.read("japanese-vowels")
    speakers = sorted(set(seqs.field("speaker").values))
    tags = [np.full(len(each["x"]), speakers.index(each["speaker"])) for each in seqs]
    tagged = ds.Sequences.from_arrays({"x": [each["x"] for each in seqs], "tag": tags})
    is_train = np.array([each["part"] == "train" for each in seqs])

    keras.utils.set_random_seed(0)
    x, valid = keras.Input((None, 12), name="x"), keras.Input((None,), dtype="bool", name="valid")
    hidden = Bidirectional(LSTM(32, return_sequences=True))(x, valid=valid)
    hidden = LSTM(32, return_sequences=True)(hidden, valid=valid)
    model = keras.Model([x, valid], keras.layers.Dense(len(speakers), activation="softmax")(hidden))
    loss = WeightedMean("sparse_categorical_crossentropy")
    model.compile(keras.optimizers.Adam(1e-2), loss, weighted_metrics=["accuracy"])

    loader = ds.Loader(tagged.select(is_train), ds.Padded(16))
    model.fit(Dataset(loader, x=["x", "valid"], y="tag"), epochs=args.epochs, verbose=0)

    held_out = tagged.select(~is_train)
    printed = model.evaluate(Dataset(ds.Loader(held_out, ds.Padded(64)), x=["x", "valid"], y="tag"), verbose=0)
    right = 0
    for given, tag, weight in Dataset(ds.Loader(held_out, ds.Padded(370)), x=["x", "valid"], y="tag"):
        right += int((model.predict_on_batch(given).argmax(-1) == tag[..., 0])[weight > 0].sum())
    print(f"test: accuracy {printed[1]:.4f} as printed by Keras, {right / held_out.num_steps:.4f} counted")


if __name__ == "__main__":
    main()
