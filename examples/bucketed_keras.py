"""Trains with `model.fit` on batches of similar lengths: buckets with boundaries, 32 sequences a batch.

The usual trap: ragged lists can't be sliced into a data set; a bucket that never fills waits to the end of an epoch; and
sorting for the sake of buckets takes the randomness out of the order. `Bucketed` plans each epoch anew: batches of one
bucket, drawn at random, in a random order, each sequence once.

Example, on the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/bucketed_keras.py --tf-data
"""

import argparse

import keras

import drystone as ds
from drystone.keras import LSTM, Dataset, to_tf_dataset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tf-data", action="store_true", help="feed a tf.data.Dataset, which needs TensorFlow")
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()

    seqs = ds.read("japanese-vowels")
    speakers = sorted(set(seqs.field("speaker").values))
    numbered = ds.Sequences.from_arrays(
        {"x": [each["x"] for each in seqs]}, {"y": [speakers.index(each["speaker"]) for each in seqs]}
    )
    train, test = (numbered.select([each["part"] == part for each in seqs]) for part in ("train", "test"))

    layout = ds.Bucketed(boundaries=(10, 14, 18, 29), batch_size=32, pad_to="boundary")
    plan = layout.plan(train)
    shapes = sorted({plan.shape(index)[1] for index in range(plan.num_batches)})
    print(f"{plan.num_batches} batches of {', '.join(map(str, shapes))} steps, {plan.padding_fraction:.1%} padding")

    keras.utils.set_random_seed(0)
    x, valid = keras.Input((None, 12), name="x"), keras.Input((None,), dtype="bool", name="valid")
    model = keras.Model([x, valid], keras.layers.Dense(9, activation="softmax")(LSTM(64)(x, valid=valid)))
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])

    feed = to_tf_dataset if args.tf_data else Dataset
    model.fit(feed(ds.Loader(train, layout), x=["x", "valid"]), epochs=args.epochs, shuffle=False, verbose=0)
    loss, accuracy = model.evaluate(feed(ds.Loader(test, ds.Padded(64)), x=["x", "valid"]), verbose=0)
    print(f"test: loss {loss:.4f}, accuracy {accuracy:.1%} of {len(test)} recordings")


if __name__ == "__main__":
    main()
