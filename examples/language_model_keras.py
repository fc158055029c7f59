"""Trains a language model on characters of documents laid end to end, the state carried, and lets it write.

The usual trap: the state leaks from one document into the next, or the tail of the text is trimmed to fill the last batch.
Here each document starts with a reset, wherever it lies on its row, and the last cells are padding that weighs nothing.

Example, with a text file of documents that blank lines separate:
    python examples/language_model_keras.py input.txt --prompt "ROMEO:"
"""

import argparse
from pathlib import Path

import keras
import numpy as np

import drystone as ds
from drystone.keras import LSTM, Dataset, WeightedMean

START, FIRST = 1, 2  # 0 is padding


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a text file; blank lines separate documents")
    parser.add_argument("--prompt", default="The ")
    parser.add_argument("--characters", type=int, default=200, help="how many to write")
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--units", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()

    text = Path(args.data).read_text(encoding="utf-8")
    documents = [document for document in text.split("\n\n") if document.strip()]
    letters = sorted({*"".join(documents), *args.prompt})
    ids = {letter: number for number, letter in enumerate(letters, FIRST)}
    tokens = [np.array([START, *(ids[letter] for letter in document)]) for document in documents]
    seqs = ds.Sequences.from_arrays({"token": [each[:-1] for each in tokens], "next": [each[1:] for each in tokens]})
    num_train = int(0.9 * len(seqs))
    train, test = seqs.select(np.arange(num_train)), seqs.select(np.arange(num_train, len(seqs)))

    keras.utils.set_random_seed(0)
    size = FIRST + len(letters)
    token = keras.Input((None,), dtype="int32", name="token")
    reset, valid = (keras.Input((None,), dtype="bool", name=name) for name in ("reset", "valid"))
    lstm = LSTM(args.units, return_sequences=True, stateful=True, max_rows=args.rows)
    outputs = lstm(keras.layers.Embedding(size, 32)(token), reset=reset, valid=valid)
    model = keras.Model([token, reset, valid], keras.layers.Dense(size)(outputs))
    loss = WeightedMean(keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.compile(keras.optimizers.Adam(3e-3, clipnorm=1.0), loss)

    def dataset(part: ds.Sequences) -> Dataset:
        layout = ds.Stateful(rows=args.rows, steps=args.steps)
        return Dataset(ds.Loader(part, layout), x=["token", "reset", "valid"], y="next")

    model.fit(dataset(train), epochs=args.epochs, verbose=0)
    nats = model.evaluate(dataset(test), verbose=0)  # the mean over every character of the test part, once
    print(f"test: {nats / np.log(2):.3f} bits a character, {test.num_steps} characters of {len(test)} documents")

    rng = np.random.default_rng(0)
    lstm.reset_state(training=False)
    given, written = [START, *(ids[letter] for letter in args.prompt)], args.prompt
    for _ in range(args.characters):  # one step a call: the state remembers what came before
        for number in given:
            masks = {"reset": np.zeros((1, 1), bool), "valid": np.ones((1, 1), bool)}
            logits = model.predict_on_batch({"token": np.array([[number]], "int32"), **masks})[0, 0, FIRST:]
        likely = np.exp((logits - logits.max()) / 0.7)
        given = [FIRST + int(rng.choice(len(letters), p=likely / likely.sum()))]
        written += letters[given[0] - FIRST]
    print(written)


if __name__ == "__main__":
    main()
