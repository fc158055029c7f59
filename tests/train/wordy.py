"""Sentences of many words, some of them rare, and runs of them."""

from typing import Any

import numpy as np

import drystone as ds
from drystone.train import Run

SMALL: dict[str, Any] = {"epochs": 2, "hidden_size": 4, "progress": False}
COMMON = tuple(f"word{number}" for number in range(60))
PARTS = ("train", "train", "train", "valid", "test")


def sentences(count: int = 60, seed: int = 0) -> ds.Sequences:
    """The `tone` of a sentence and the `kind` of each word follow from its words; some words are in one sentence only."""
    rng = np.random.default_rng(seed)
    words = [list(rng.choice(COMMON, length)) for length in rng.integers(2, 9, count)]
    for number, sentence in enumerate(words):
        if number % 3 == 0:
            sentence[0] = f"rare{number}"
    kinds = [["even" if word[-1] in "02468" else "odd" for word in sentence] for sentence in words]
    per_sequence = {
        "tone": ["bright" if kind.count("even") * 2 >= len(kind) else "dark" for kind in kinds],
        "part": [PARTS[number % len(PARTS)] for number in range(count)],
    }
    per_step = {
        "word": [np.array(each, dtype=object) for each in words],
        "kind": [np.array(each, dtype=object) for each in kinds],
    }
    return ds.Sequences.from_arrays(per_step, per_sequence)


def fitted(target: str, seqs: ds.Sequences | None = None, **given: Any) -> Run:
    settings = {"split_column": "part", "text": "word", **SMALL, **given}
    return ds.fit(sentences() if seqs is None else seqs, target, **settings)


def of_part(seqs: ds.Sequences, part: str) -> ds.Sequences:
    return seqs.select(np.flatnonzero(seqs.field("part").values == part))
