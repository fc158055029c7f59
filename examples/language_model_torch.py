"""Trains a language model on characters of documents laid end to end, the state carried, and lets it write.

The usual trap: the state leaks from one document into the next, or the tail of the text is trimmed to fill the last batch.
Here each document starts with a reset, wherever it lies on its row, and the last cells are padding that weighs nothing.

Example, with a text file of documents that blank lines separate:
    python examples/language_model_torch.py input.txt --prompt "ROMEO:"
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn

import drystone as ds
from drystone.torch import CarriedState, batches
from drystone.torch.language import LanguageDropout, LanguageModel, Sampling, cost_of, generate, next_of, next_tokens

UNKNOWN, FIRST = 1, 2  # 0 is padding


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a text file; blank lines separate documents")
    parser.add_argument("--prompt", default="The ")
    parser.add_argument("--characters", type=int, default=200, help="how many to write")
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()

    text = Path(args.data).read_text(encoding="utf-8")
    documents = [document for document in text.split("\n\n") if document.strip()]
    num_train = int(0.9 * len(documents))
    letters = sorted(set("".join(documents[:num_train])))  # of the training part only: the test may hold unknown ones
    ids = {letter: number for number, letter in enumerate(letters, FIRST)}
    begin = FIRST + len(letters)  # the step before each document, which foretells its first character
    arrays = [np.array([ids.get(letter, UNKNOWN) for letter in document]) for document in documents]
    seqs = next_tokens(ds.Sequences.from_arrays({"ids": arrays}), begin=begin)
    train, test = seqs[:num_train], seqs[num_train:]
    layout = ds.Stateful(rows=args.rows, steps=args.steps)
    loader = ds.Loader(train, layout)

    torch.manual_seed(0)
    model = LanguageModel(begin + 1, 64, args.units, dropout=LanguageDropout(outputs=0.2))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(args.epochs):
        carried, nats, count = CarriedState(), 0.0, 0
        for batch in batches(loader):
            logits, carried = carried.run(model, batch)  # the state goes on, gradients end here
            loss = nn.functional.cross_entropy(logits, next_of(batch), reduction="sum")
            optimizer.zero_grad()
            (loss / max(1, len(logits))).backward()  # a batch may hold nothing but last characters, which foretell none
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            nats, count = nats + loss.item(), count + len(logits)
        print(f"epoch {epoch + 1}: {nats / count:.3f} nats a character, {count} characters")

    cost = cost_of(model, batches(ds.Loader(test, layout)))  # every character of the test part, once
    print(f"test: {cost.nats_per_token:.3f} nats a character, {cost.num_tokens} characters of {len(test)} documents")

    prompt = [begin, *(ids.get(letter, UNKNOWN) for letter in args.prompt)]
    sampling = Sampling(temperature=0.7, never=(0, UNKNOWN, begin))
    print(args.prompt, end="")
    for token in generate(model, prompt, args.characters, sampling=sampling, seed=0):
        print(letters[token - FIRST], end="", flush=True)
    print()


if __name__ == "__main__":
    main()
