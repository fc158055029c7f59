"""Documents as sequences of characters: what goes in comes out, whole and of any view."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone import DataError, Sequences, read
from drystone.core.append import append
from drystone.core.documents import are_characters, characters_of, check_text, documents_of

ALPHABET = st.one_of(st.characters(codec="utf-8"), st.sampled_from("é\u0301\u0000\n\r\u2028\U0001f600 a"))
TEXTS = st.text(ALPHABET, min_size=1, max_size=12)
DOCUMENTS = st.lists(TEXTS, min_size=1, max_size=8)


def made(documents: list[str], **per_sequence: Any) -> Sequences:
    return Sequences.from_arrays({"review": documents}, per_sequence, text="review")


@given(st.lists(st.text(ALPHABET), max_size=8), st.integers(0, 3), st.integers(0, 3))
def test_characters_are_code_points_whatever_part_of_an_array_they_lie_in(
    documents: list[str], before: int, after: int
) -> None:
    around = pa.array(["é"] * before + documents + ["ü"] * after, pa.large_string())
    characters, lengths = characters_of(around.slice(before, len(documents)))
    characters.validate(full=True)
    assert characters.to_pylist() == list("".join(documents))
    assert lengths.tolist() == [len(document) for document in documents]


@given(DOCUMENTS)
def test_documents_come_back(documents: list[str]) -> None:
    seqs = made(documents, number=np.arange(len(documents)))
    assert seqs.text == "review"
    assert documents_of(seqs).to_pylist() == documents
    assert [each["review"].tolist() for each in seqs] == [list(document) for document in documents]


@given(DOCUMENTS, st.integers(1, 5), st.integers(1, 5), st.randoms())
def test_documents_of_views_are_their_characters(documents: list[str], steps: int, stride: int, random: Any) -> None:
    seqs = made(documents)
    views = [seqs.windows(steps, stride), seqs.cut(steps, lead=1), seqs.join(), seqs.truncate(steps, "last"), seqs[:0]]
    views.append(seqs.select(random.sample(range(len(seqs)), len(seqs))).cut(2))
    for view in views:
        found = documents_of(view)
        found.validate(full=True)
        assert found.to_pylist() == ["".join(each["review"]) for each in view]


@given(documents=DOCUMENTS)
def test_files_keep_the_key(tmp_path_factory: pytest.TempPathFactory, documents: list[str]) -> None:
    folder: Path = tmp_path_factory.mktemp("documents")
    seqs = made(documents, label=["a"] * len(documents)).select(np.arange(len(documents))[::-1])
    seqs.save(folder / "s.arrow")
    pq.write_table(pa.table(seqs), folder / "s.parquet")
    copies = [Sequences.open(folder / "s.arrow"), read(folder / "s.parquet"), read(pa.table(seqs))]
    for found in (*copies, pickle.loads(pickle.dumps(seqs))):
        assert found.text == "review"
        assert documents_of(found).to_pylist() == documents[::-1]
        assert found.fingerprint() == seqs.fingerprint()


@given(DOCUMENTS, DOCUMENTS)
def test_documents_are_appended(some: list[str], others: list[str]) -> None:
    both = append({"a": made(some), "b": made(others)}, ["review"])
    assert both.text == "review"
    assert documents_of(both).to_pylist() == some + others


def test_documents_and_words_are_not_appended() -> None:
    words = Sequences.from_arrays({"review": [["so", "so"]]})
    with pytest.raises(DataError, match="text is 'review' in a and None in b; all need the same"):
        append({"a": made(["so"]), "b": words}, ["review"])


@given(DOCUMENTS, DOCUMENTS)
def test_only_equal_documents_have_one_fingerprint(some: list[str], others: list[str]) -> None:
    assert (made(some).fingerprint() == made(others).fingerprint()) == (some == others)


def test_a_text_that_misses_is_not_an_empty_one() -> None:
    missing, empty = (Sequences.from_arrays({"w": [["a", word, "b"]]}) for word in (None, ""))
    moved = Sequences.from_arrays({"w": [[None, "a", "b"]]})
    assert len({seqs.fingerprint() for seqs in (missing, empty, moved)}) == 3


def test_the_key_is_shown_and_goes_with_its_field() -> None:
    seqs = made(["aa", "b"], y=[1, 2])
    assert repr(seqs) == "Sequences(2 sequences of 1 to 2 steps; text: review; per sequence: y int64)"
    assert seqs.collapsed("review").text is None
    assert seqs.join().text == "review"


def test_other_fields_have_a_value_a_character() -> None:
    seqs = Sequences.from_arrays({"t": ["né", "b"], "x": [[1, 2], [3]]}, text="t")
    assert repr(seqs) == "Sequences(2 sequences of 1 to 2 steps; text: t; per step: x int64)"
    with pytest.raises(DataError, match="sequence 1 has 1 steps in field 't' and 2 in field 'x'"):
        Sequences.from_arrays({"t": ["né", "b"], "x": [[1, 2], [3, 4]]}, text="t")


def test_empty_documents_are_empty_sequences() -> None:
    with pytest.raises(DataError, match="sequence 1 has length 0"):
        made(["a", ""])
    seqs = Sequences.from_arrays({"t": ["a", "", "bc"]}, text="t", on_empty="drop")
    assert seqs.dropped.tolist() == [1]
    assert documents_of(seqs).to_pylist() == ["a", "bc"]


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        (["a", None], "text field 't': document 1 is NoneType, not str"),
        (["a", ["b"]], "document 1 is list, not str"),
        ([b"a"], "document 0 is bytes, not str"),
        (["\ud800"], "text field 't' holds what is no Unicode text"),
        (pa.array(["a", None]), "text field 't': document 1 is missing"),
        (pa.array([1]), "text field 't' holds int64; expected texts"),
    ],
)
def test_what_is_no_document_is_named(documents: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Sequences.from_arrays({"t": documents}, text="t")


@pytest.mark.parametrize(
    "documents", [np.array(["ab", "c"]), np.array(["ab", "c"], object), pa.array(["ab", "c"]).dictionary_encode()]
)
def test_documents_may_lie_in_any_array(documents: Any) -> None:
    assert documents_of(Sequences.from_arrays({"t": documents}, text="t")).to_pylist() == ["ab", "c"]


def test_the_key_names_a_field_of_the_steps() -> None:
    with pytest.raises(DataError, match="text is 'u', which is no field of per_step; those are: t"):
        Sequences.from_arrays({"t": ["a"]}, text="u")
    with pytest.raises(DataError, match="field 't\\[0\\]' is one text; .* with text="):
        Sequences.from_arrays({"t": ["a"]})
    with pytest.raises(DataError, match="have no key text"):
        documents_of(Sequences.from_arrays({"x": [[1]]}))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x", "text is 'x', which holds int64"),
        ("y", "text is 'y', which has a value a sequence"),
    ],
)
def test_what_is_no_text_is_named_and_words_are_no_documents(name: str, words: str) -> None:
    seqs = Sequences.from_arrays(
        {"w": [["a", "bc"]], "e": [["a", ""]], "n": [["a", None]], "x": [[1, 2]], "c": [np.array(["é", "\0"], object)]},
        {"y": ["ab"]},
    )
    with pytest.raises(DataError, match=words):
        check_text(seqs, name)
    for name in ("c", "w", "e", "n"):
        check_text(seqs, name)
        assert are_characters(seqs, name) is (name == "c")
    assert documents_of(replace(seqs, text="c")).to_pylist() == ["é\0"]
