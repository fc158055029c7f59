"""Trains a classifier of texts that meets words it has never seen.

The usual trap: unknown words and padding share id 0, so unknown words are masked away with the padding; or the unknown word
has an id that never occurs in training, and so a vector that was never trained. Here padding is 0, the unknown word 1,
and each epoch replaces a share of the rare words of the training part with 1.

Example, with a CSV of the columns text and label:
    python examples/text_oov_keras.py news.csv
"""

import argparse
from collections import Counter

import keras
import numpy as np
import pandas as pd

import drystone as ds
from drystone.keras import LSTM, Dataset

UNKNOWN, FIRST_WORD = 1, 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a CSV with the columns text and label")
    parser.add_argument("--min-count", type=int, default=2, help="words that occur less often are unknown")
    parser.add_argument("--rate", type=float, default=0.2, help="share of the rarest words replaced in training")
    parser.add_argument("--epochs", type=int, default=5)
    args = parser.parse_args()

    table = pd.read_csv(args.data).sample(frac=1.0, random_state=0)
    words = [text.lower().split() for text in table["text"]]
    labels, y = np.unique(table["label"].astype(str), return_inverse=True)
    num_train = int(0.8 * len(table))
    counts = Counter(word for text in words[:num_train] for word in text)
    known = [word for word, count in counts.most_common() if count >= args.min_count]
    ids = {word: number for number, word in enumerate(known, FIRST_WORD)}
    tokens = [np.array([ids.get(word, UNKNOWN) for word in text]) for text in words]
    for name, part in (("training", tokens[:num_train]), ("test", tokens[num_train:])):
        share = float((np.concatenate(part) == UNKNOWN).mean())
        print(f"{name} part: {len(part)} texts, {share:.1%} of their words unknown")

    keras.utils.set_random_seed(0)
    token = keras.Input((None,), dtype="int32", name="token")
    valid = keras.Input((None,), dtype="bool", name="valid")
    hidden = LSTM(64)(keras.layers.Embedding(FIRST_WORD + len(ids), 32)(token), valid=valid)
    model = keras.Model([token, valid], keras.layers.Dense(len(labels), activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])

    rng = np.random.default_rng(0)
    is_rare = np.array([False, False, *(counts[word] <= 2 * args.min_count for word in known)])
    longest = max(map(len, tokens))
    layout = ds.Bucketed(boundaries=sorted({longest // 2, longest}), batch_size=32, pad_to="boundary")

    def dataset(part: slice, *, drops: bool) -> Dataset:
        arrays = tokens[part]
        if drops:
            arrays = [np.where(is_rare[text] & (rng.random(len(text)) < args.rate), UNKNOWN, text) for text in arrays]
        return Dataset(
            ds.Loader(ds.Sequences.from_arrays({"token": arrays}, {"y": y[part]}), layout), x=["token", "valid"]
        )

    for _ in range(args.epochs):
        model.fit(dataset(slice(num_train), drops=True), verbose=0)
    loss, accuracy = model.evaluate(dataset(slice(num_train, None), drops=False), verbose=0)
    usual = np.bincount(y[num_train:]).max() / len(y[num_train:])
    print(f"test: loss {loss:.4f}, accuracy {accuracy:.1%}; always the most frequent label {usual:.1%}")


if __name__ == "__main__":
    main()
