"""Trains and scores an output at every step (tagging), over real steps only.

The usual trap: a mask is worked out and then not used, so that padding counts as steps that are easy to get right; or an
epoch is a mean of batch means. Here weights keep padding out, and `WeightedMean` makes each update and each printed
number a sum over sums of real steps, whatever the layout.

Example, on the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/per_step_masked_loss_keras.py --layout packed
"""

import argparse

import keras
import numpy as np

import drystone as ds
from drystone.keras import LSTM, Bidirectional, Dataset, WeightedMean

LAYOUTS = {
    "padded": ds.Padded(32),
    "bucketed": ds.Bucketed(boundaries=(14, 29), batch_size=32, pad_to="boundary"),
    "packed": ds.Packed(rows=8, steps=64, constant_shape=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layout", choices=tuple(LAYOUTS), default="packed")
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args()

    seqs = ds.read("japanese-vowels")
    speakers = sorted(set(seqs.field("speaker").values))
    tags = [np.full(len(each["x"]), speakers.index(each["speaker"])) for each in seqs]
    tagged = ds.Sequences.from_arrays({"x": [each["x"] for each in seqs], "tag": tags})
    train, test = (tagged.select([each["part"] == part for each in seqs]) for part in ("train", "test"))

    keras.utils.set_random_seed(0)
    x = keras.Input((None, 12), name="x")
    reset, valid = (keras.Input((None,), dtype="bool", name=name) for name in ("reset", "valid"))
    hidden = Bidirectional(LSTM(32, return_sequences=True))(x, reset=reset, valid=valid)
    model = keras.Model([x, reset, valid], keras.layers.Dense(len(speakers), activation="softmax")(hidden))
    loss = WeightedMean("sparse_categorical_crossentropy")
    model.compile(keras.optimizers.Adam(1e-2), loss, weighted_metrics=["accuracy"])

    def dataset(part: ds.Sequences, layout: ds.Layout) -> Dataset:
        return Dataset(ds.Loader(part, layout), x=["x", "reset", "valid"], y="tag")

    history = model.fit(dataset(train, LAYOUTS[args.layout]), epochs=args.epochs, verbose=0).history
    for epoch, (mean, accuracy) in enumerate(zip(history["loss"], history["accuracy"], strict=True)):
        print(f"epoch {epoch + 1}: loss {mean:.4f}, accuracy {accuracy:.1%} of {train.num_steps} steps")
    for name, layout in LAYOUTS.items():
        mean, accuracy = model.evaluate(dataset(test, layout), verbose=0)
        print(f"test, {name}: loss {mean:.4f}, accuracy {accuracy:.1%} of {test.num_steps} steps")


if __name__ == "__main__":
    main()
