"""Rare words that a training reads as unknown: the same ones however sequences are laid out, and none elsewhere."""

from typing import Any

import numpy as np
import pytest
import torch

import drystone as ds
from drystone.text import Vocabulary
from drystone.torch import batches
from drystone.torch.language import next_tokens
from drystone.train.features.feature import Feature, Features
from drystone.train.features.unknown import WithUnknown, with_unknown

LENGTHS = (7, 1, 12, 4, 9, 5, 3)
WORDS = [f"word{number}" for number in range(sum(LENGTHS))]  # each rare
VOCABULARY = Vocabulary.train([*WORDS, "often", "often"], kind="given")
SEED = 3
LAYOUTS = (
    ds.Padded(3),
    ds.Padded(7, order="sorted"),
    ds.Packed(rows=2, steps=14),
    ds.Stateful(rows=2, steps=4),
)


def sentences() -> ds.Sequences:
    """All words are rare but for every third."""
    ids = VOCABULARY.ids_of(WORDS)
    ids[::3] = VOCABULARY.ids_of(["often"])
    return ds.Sequences.from_ragged(np.append(0, np.cumsum(LENGTHS)), {"ids": ids}, {})


def nothing(*_: Any) -> Any:
    raise AssertionError


def hidden(seqs: ds.Sequences, layout: ds.Layout, epoch: int, rate: float = 0.5) -> set[tuple[int, int]]:
    """The sequence and step of each word that is read as unknown."""
    reader, found = WithUnknown(nothing, VOCABULARY, "ids", rate=rate, seed=SEED), set[tuple[int, int]]()
    loader = ds.Loader(seqs, layout)
    loader.epoch = epoch
    for batch in batches(loader):
        before = batch["ids"].clone()
        after = reader.replaced(batch)["ids"]
        assert torch.equal(batch["ids"], before)
        assert after.dtype == before.dtype
        changed = after != before
        assert (after[changed] == 1).all()
        found |= set(map(tuple, batch.grid.places(changed.flatten().nonzero().flatten().numpy()).tolist()))
    return found


@pytest.mark.parametrize("layout", LAYOUTS, ids=repr)
@pytest.mark.parametrize("epoch", [0, 5])
def test_they_are_those_that_the_vocabulary_says_in_any_layout(layout: ds.Layout, epoch: int) -> None:
    seqs = sentences()
    expected = set[tuple[int, int]]()
    for sequence, sentence in enumerate(seqs):
        steps = np.arange(len(sentence["ids"]))
        which = VOCABULARY.replaced(
            sentence["ids"], np.full_like(steps, sequence), steps, rate=0.5, seed=SEED, epoch=epoch
        )
        expected |= {(sequence, step) for step in steps[which].tolist()}
    assert 5 < len(expected) < 25
    assert hidden(seqs, layout, epoch) == expected


def test_each_epoch_has_its_own() -> None:
    first, second = (hidden(sentences(), ds.Padded(3), epoch) for epoch in (0, 1))
    assert first != second


def test_frequent_words_and_what_begins_documents_stay() -> None:
    ids = sentences().field("ids").values
    assert len(hidden(sentences(), ds.Padded(3), 0, rate=1.0)) == (ids >= VOCABULARY.first_rare).sum()
    begun = next_tokens(sentences(), begin=len(VOCABULARY))
    assert not {step for _, step in hidden(begun, ds.Padded(3), 0, rate=1.0)} & {0}


def test_where_there_is_nothing_to_replace_the_objective_stays() -> None:
    def features(vocabulary: Vocabulary | None) -> Features:
        kind: Any = "numbers" if vocabulary is None else "tokens"
        return Features((Feature(name="ids", kind=kind, vocabulary=vocabulary),))

    pairs = Vocabulary.train(["some text"], kind="bpe")
    for vocabulary, rate in ((None, 0.5), (pairs, 0.5), (VOCABULARY, 0.0)):
        assert with_unknown(nothing, features(vocabulary), rate=rate, seed=0) is nothing
    assert isinstance(with_unknown(nothing, features(VOCABULARY), rate=0.5, seed=0), WithUnknown)
