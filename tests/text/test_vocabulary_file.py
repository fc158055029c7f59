"""The JSON file: it holds all, and what is damaged is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drystone as ds
from drystone.text.kinds import KINDS


@settings(max_examples=50)
@given(st.lists(st.text(max_size=8), min_size=1), st.sampled_from(KINDS), st.booleans(), st.integers(0, 2))
def test_a_vocabulary_comes_back_whole(texts: list[str], kind: str, lowercase: bool, rare_count: int) -> None:
    vocabulary = ds.Vocabulary.train([*texts, "a"], kind=kind, lowercase=lowercase, rare_count=rare_count, size=280)
    again = ds.Vocabulary.from_json(vocabulary.to_json())
    assert again == vocabulary
    assert again.tokens.equals(vocabulary.tokens)
    for name in ("kind", "lowercase", "first_rare"):
        assert getattr(again, name) == getattr(vocabulary, name)


def test_files_are_written_whole_and_not_over_another(tmp_path: Path) -> None:
    path = tmp_path / "words.json"
    vocabulary = ds.Vocabulary.train(["one two"], kind="words")
    vocabulary.save(path)
    assert ds.Vocabulary.load(str(path)) == vocabulary
    with pytest.raises(ds.DataError, match="exists"):
        vocabulary.save(path)
    vocabulary.save(path, overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == ["words.json"]
    with pytest.raises(ds.DataError, match="there is no folder"):
        vocabulary.save(tmp_path / "none" / "words.json")


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    record = json.loads(ds.Vocabulary.train(["b a b"], kind="words").to_json())
    change(record)
    return json.dumps(record)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda record: record.pop("model"), "is no vocabulary: it has no model"),
        (lambda record: record["model"].pop("drystone"), "a tokenizer, but no vocabulary that drystone wrote"),
        (lambda record: record["model"].update(vocab={"[PAD]": 0, "<unk>": 1}), r"token 0 is '\[PAD\]'; expected '<pad>'"),
        (lambda record: record["model"].update(vocab={"<pad>": 0, "x": 1, "<unk>": 2}), "token 1 is 'x'; expected '<unk>'"),
        (lambda record: record["model"]["vocab"].pop("b"), "its tokens are not numbered from 0 without holes"),
        (lambda record: record["model"]["vocab"].update(b=True), "its tokens are not numbered from 0 without holes"),
        (lambda record: record["model"]["vocab"].update({"<unk>": True}), "its tokens are not numbered from 0"),
        (lambda record: record["model"].pop("unk_token"), "its unknown token is None; expected '<unk>'"),
        (lambda record: record["model"].update(vocab=[]), "its tokens are not numbered"),
        (lambda record: record["model"].update(vocab={}), "token 0 is None; expected '<pad>'"),
        (lambda record: record["model"]["drystone"].update(first_rare=99), "its record 'drystone' says"),
        (lambda record: record["model"]["drystone"].pop("lowercase"), "its record 'drystone' says"),
        (lambda record: record["model"]["drystone"].update(kind="chunks"), "no vocabularies of kind 'chunks'"),
        (lambda record: record["pre_tokenizer"].update(type="Guess"), "the JSON text is damaged: "),
    ],
)  # fmt: skip
def test_damage_is_told(change: Callable[[dict[str, Any]], object], message: str) -> None:
    with pytest.raises(ds.DataError, match=message):
        ds.Vocabulary.from_json(changed(change))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "words.json"
    with pytest.raises(ds.DataError, match=r"words\.json cannot be read: No such file"):
        ds.Vocabulary.load(path)
    ds.Vocabulary.train(["a b"], kind="words").save(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ds.DataError, match=r"words\.json is damaged: it is no whole JSON text"):
        ds.Vocabulary.load(path)
    path.write_bytes(b"\xff")
    with pytest.raises(ds.DataError, match=r"words\.json is damaged: it is no text in UTF-8"):
        ds.Vocabulary.load(path)
    path.write_text("[1]")
    with pytest.raises(ds.DataError, match="is no vocabulary"):
        ds.Vocabulary.load(path)
