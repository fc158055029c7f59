"""Trains a yes-or-no classifier of texts: token ids, an Embedding, buckets, an LSTM.

The usual trap: `Masking` after the Embedding looks for vectors of zeros, which never occur there, so padding is learned
as text. Here the mask comes from the true lengths. Ids start at 1, since 0 is padding; the vocabulary is that of the
training part, and words that it lacks have an id of their own.

Example, with a CSV of the columns text and label, of which the labels take two values:
    python examples/text_embedding_keras.py reviews.csv
"""

import argparse
from collections import Counter

import keras
import numpy as np
import pandas as pd

import drystone as ds
from drystone.keras import LSTM, Dataset

UNKNOWN, FIRST_WORD = 1, 2
MOST_IDS = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a CSV with the columns text and label")
    parser.add_argument("--epochs", type=int, default=5)
    args = parser.parse_args()

    table = pd.read_csv(args.data).sample(frac=1.0, random_state=0)
    words = [text.lower().split() for text in table["text"]]
    labels, y = np.unique(table["label"].astype(str), return_inverse=True)
    num_train = int(0.8 * len(table))
    counts = Counter(word for text in words[:num_train] for word in text)
    ids = {word: number for number, (word, _) in enumerate(counts.most_common(MOST_IDS - FIRST_WORD), FIRST_WORD)}
    seqs = ds.Sequences.from_arrays(
        {"token": [[ids.get(word, UNKNOWN) for word in text] for text in words]}, {"y": y.astype("float32")}
    )
    train, test = seqs.select(np.arange(num_train)), seqs.select(np.arange(num_train, len(seqs)))

    keras.utils.set_random_seed(0)
    token = keras.Input((None,), dtype="int32", name="token")
    valid = keras.Input((None,), dtype="bool", name="valid")
    hidden = LSTM(64)(keras.layers.Embedding(MOST_IDS, 32)(token), valid=valid)
    model = keras.Model([token, valid], keras.layers.Dense(1, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy", weighted_metrics=["binary_accuracy"])

    longest = int(seqs.lengths.max())
    boundaries = sorted({*np.quantile(train.lengths, (0.25, 0.5, 0.75)).astype(int).tolist(), longest})
    layout = ds.Bucketed(boundaries=boundaries, batch_size=32, pad_to="boundary")
    model.fit(Dataset(ds.Loader(train, layout), x=["token", "valid"]), epochs=args.epochs, verbose=0)
    loss, accuracy = model.evaluate(Dataset(ds.Loader(test, layout), x=["token", "valid"]), verbose=0)
    usual = max(test.field("y").values.mean(), 1 - test.field("y").values.mean())
    print(f"{len(ids)} words; labels {labels[0]!r} and {labels[1]!r}")
    print(f"test: loss {loss:.4f}, accuracy {accuracy:.1%} of {len(test)} texts; always the same answer {usual:.1%}")


if __name__ == "__main__":
    main()
