"""Trains on batches of similar lengths: a batch size for each bucket, or one budget of cells for all.

The usual trap: a budget counts the real steps of a batch, but memory is spent on its cells, padding included: one long
sequence among short ones then asks for many times the memory that was planned. `Bucketed(cells=...)` counts rows ×
steps. Batches of other sizes also weigh in what Keras prints: here each sequence of an epoch counts alike.

Example, on the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/batch_size_per_bucket_keras.py --cells 400
"""

import argparse

import keras

import drystone as ds
from drystone.keras import LSTM, Dataset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, help="a budget of rows × steps for every batch, in place of batch sizes")
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()

    seqs = ds.read("japanese-vowels")
    speakers = sorted(set(seqs.field("speaker").values))
    numbered = ds.Sequences.from_arrays(
        {"x": [each["x"] for each in seqs]}, {"y": [speakers.index(each["speaker"]) for each in seqs]}
    )
    train, test = (numbered.select([each["part"] == part for each in seqs]) for part in ("train", "test"))
    boundaries = (10, 14, 18, 22, 29)  # and few shapes, which compile once each
    if args.cells:
        layout = ds.Bucketed(boundaries=boundaries, cells=args.cells, pad_to="boundary")
    else:
        layout = ds.Bucketed(boundaries=boundaries, batch_size=(64, 32, 16, 8, 4, 4), pad_to="boundary")
    plan = layout.plan(train)
    for rows, steps in sorted({plan.shape(index) for index in range(plan.num_batches)}):
        print(f"rows × steps: {rows} × {steps}")
    print(f"{plan.num_batches} batches, {plan.padding_fraction:.1%} padding")

    keras.utils.set_random_seed(0)
    x, valid = keras.Input((None, 12), name="x"), keras.Input((None,), dtype="bool", name="valid")
    model = keras.Model([x, valid], keras.layers.Dense(9, activation="softmax")(LSTM(64)(x, valid=valid)))
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    model.fit(Dataset(ds.Loader(train, layout), x=["x", "valid"]), epochs=args.epochs, verbose=0)
    loss, accuracy = model.evaluate(Dataset(ds.Loader(test, layout), x=["x", "valid"]), verbose=0)
    print(f"test: loss {loss:.4f}, accuracy {accuracy:.1%} of {len(test)} recordings")


if __name__ == "__main__":
    main()
