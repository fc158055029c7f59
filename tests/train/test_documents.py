"""Runs on documents: keys, files that are read alike, equal documents in two parts."""

from pathlib import Path

import numpy as np
import pytest

import drystone as ds
from drystone.train.apart import warn_of_equals
from drystone.train.data import Sources, sequences_for
from drystone.train.features.choose import changes, usual_features
from drystone.train.prepare import prepare
from drystone.train.settings import Settings
from drystone.train.split import PARTS, Runs, Split
from tests.train.small import SMALL

REVIEWS = [f"{word} {'so ' * (number % 5)}{number % 3}é" for number in range(10) for word in ("good", "bad")]
LABELS = ["pos", "neg"] * 10


def reviews(documents: list[str] = REVIEWS, labels: list[str] = LABELS) -> ds.Sequences:
    return ds.Sequences.from_arrays({"review": documents}, {"label": labels}, text="review")


def settings(**values: object) -> Settings:
    return Settings.of(target="label", task="classify", **values)


def test_the_key_is_kept_with_the_run(tmp_path: Path) -> None:
    assert prepare(reviews(), settings(features=("review",))).settings.text == "review"
    with pytest.raises(ds.ConfigError, match="text is 'other', but the sequences were read with 'review'"):
        prepare(reviews(), settings(text="other"))


def test_words_that_are_split_already_are_text_and_no_documents() -> None:
    words = ds.Sequences.from_arrays({"review": [each.split() for each in REVIEWS]}, {"label": LABELS})
    prepared = prepare(words, settings(text="review"))
    assert (prepared.parts["train"].text, prepared.settings.text) == (None, "review")
    assert prepared.task.schema.features.vocabulary.kind == "given"
    with pytest.raises(ds.ConfigError, match="tokens is 'bpe', and 'review' holds words that are split already"):
        prepare(words, settings(text="review", tokens="bpe"))
    with pytest.raises(ds.DataError, match="there is no field 'other'"):
        prepare(words, settings(text="other"))


def test_an_encoding_that_there_is_not() -> None:
    with pytest.raises(ds.ConfigError, match="encoding is 'latin-l'"):
        settings(encoding="latin-l")


def test_files_are_read_as_those_of_the_run(tmp_path: Path) -> None:
    rows = "".join(f"{label},{review}\n" for label, review in zip(LABELS, REVIEWS, strict=True))
    (tmp_path / "r.csv").write_bytes(f"label,review\n{rows}".encode("latin-1"))
    (tmp_path / "more.txt").write_bytes("café so\nbad\n".encode("latin-1"))
    how = {"text": "review", "encoding": "latin-1", "documents": "lines"}
    found = sequences_for(Sources(train=tmp_path / "r.csv"), settings(**how))
    assert found.field("review").to_arrow().equals(reviews().field("review").to_arrow())
    run = ds.fit(found, "label", features=("review",), out=tmp_path / "run", **how, **SMALL)
    expected = ds.read(tmp_path / "more.txt", **how)
    assert ds.Run.open(run.path).predict(tmp_path / "more.txt").equals(run.predict(expected))


def test_folders_may_be_the_parts(tmp_path: Path) -> None:
    for part, first in (("train", 0), ("test", 20)):
        for number, (label, review) in enumerate(zip(LABELS, REVIEWS, strict=True), start=first):
            folder = tmp_path / part / label
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{number}.txt").write_text(f"{number} {review}", encoding="utf-8")
    chosen = settings(test=str(tmp_path / "test"))
    both = sequences_for(Sources(train=tmp_path / "train"), chosen)
    assert (len(both), both.text) == (40, "text")
    assert prepare(both, chosen).settings.text == "text"


def split_of(seqs: ds.Sequences, *parts: list[int]) -> Split:

    runs = {
        name: Runs(
            sequence=np.array(part, np.int64),
            offset=np.zeros(len(part), np.int64),
            length=seqs.lengths[np.array(part, np.int64)],
        )
        for name, part in zip(PARTS, parts, strict=True)
    }
    return Split(runs=runs)


def test_equal_documents_in_two_parts_are_told_of() -> None:
    documents = ["abc", "abd", "ébc", "abc", "e\u0301b"]
    seqs = reviews(documents, ["a"] * 5)
    with pytest.warns(UserWarning, match="1 sequence of a later part .*sequence 0 in train and sequence 3 in test"):
        warn_of_equals(seqs, split_of(seqs, [0, 1], [2], [3, 4]), ["review", "label"])
    warn_of_equals(seqs, split_of(seqs, [0, 1], [2], [4]), ["review", "label"])


def test_texts_that_change_are_inputs() -> None:
    assert usual_features(reviews(), {"label"}) == ["review"]
    assert changes(reviews(), "review")
    assert not changes(reviews(["aa", "bb"], ["x", "y"]), "review")
    some = ds.Sequences.from_arrays({"w": [["a", None, "a"], ["b", "b"]], "v": [["a", "a", "a"], ["b", "b"]]})
    assert (changes(some, "w"), changes(some, "v")) == (True, False)
    many = ["".join(map(chr, range(0x4E00, 0x4E00 + 51)))] * 2
    assert usual_features(reviews(many, ["x", "y"]), {"label"}) == []
