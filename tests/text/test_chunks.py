"""Chunks are those that the CoNLL script counts, as `seqeval` has it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities

from drystone.core.errors import DataError, ShapeError
from drystone.text.chunks import ChunkCounts, Chunks, chunks_by_number, chunks_of, counts_of
from drystone.text.tags import Tags, is_bio

VALID = ("O", "B-a", "I-a", "B-b", "I-b", "B-a-b", "I-a-b")
STRANGE = (*VALID, "B", "I", "B-", "I-", "E-a", "S-a", "E-b", "S-b", "X", "X-a", "-a", ".", "Ba", "B-_", "o")
Sentences = list[list[str]]


@contextmanager
def quiet() -> Iterator[None]:
    """Lets seqeval say that a tag is unknown, or that it divided by 0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def sentences(tags: tuple[str, ...], least: int = 0) -> st.SearchStrategy[Sentences]:
    return st.lists(st.lists(st.sampled_from(tags), min_size=least, max_size=8), min_size=1, max_size=5)


def chunks(tagged: Sentences) -> Chunks:
    return chunks_of([tag for sentence in tagged for tag in sentence], [len(sentence) for sentence in tagged])


@given(tagged=st.one_of(sentences(VALID), sentences(STRANGE)))
def test_they_are_those_of_seqeval(tagged: Sentences) -> None:
    with quiet():
        expected = [
            (number, begin, last + 1, kind)
            for number, sentence in enumerate(tagged)
            for kind, begin, last in get_entities(sentence)
        ]
    assert chunks(tagged).rows() == expected


@given(
    pairs=st.lists(st.lists(st.tuples(*[st.sampled_from(VALID)] * 2), min_size=1, max_size=8), min_size=1, max_size=5)
)
def test_what_is_found_of_them_is_that_of_seqeval(pairs: list[list[tuple[str, str]]]) -> None:
    true, predicted = ([[pair[side] for pair in sentence] for sentence in pairs] for side in (0, 1))
    counts = counts_of(chunks(predicted), chunks(true))
    with quiet():
        expected = [score(true, predicted) for score in (precision_score, recall_score, f1_score)]
    assert [counts.precision, counts.recall, counts.f1] == pytest.approx(expected, abs=1e-12)


@given(tagged=sentences(("O", "I-a", "I-b", "B-a"), least=1))
def test_iob1_reads_as_the_same_chunks_in_bio(tagged: Sentences) -> None:
    """Read as IOB1, where B- stands only between two chunks of one type, and as the BIO of the same chunks."""
    found = chunks(tagged)
    bio = [["O"] * len(sentence) for sentence in tagged]
    for sequence, begin, end, kind in found.rows():
        bio[sequence][begin:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - begin - 1)]
    assert chunks(bio).rows() == found.rows()
    names = sorted({tag for sentence in bio for tag in sentence})
    ids, lengths = np.array([names.index(tag) for sentence in bio for tag in sentence]), [len(each) for each in bio]
    assert not Tags(names).breaks(ids, np.cumsum([0, *lengths[:-1]])).any()


@given(tagged=sentences(VALID, least=1))
def test_breaks_are_where_an_inner_tag_goes_on_with_nothing(tagged: Sentences) -> None:
    expected = [
        tag.startswith("I-") and before[2:] != tag[2:]
        for sentence in tagged
        for before, tag in zip(["O", *sentence], sentence, strict=False)
    ]
    ids = np.array([VALID.index(tag) for sentence in tagged for tag in sentence])
    starts = np.cumsum([0, *(len(sentence) for sentence in tagged[:-1])])
    assert Tags(VALID).breaks(ids, starts).tolist() == expected


def test_the_same_chunks_by_text_and_by_number() -> None:
    ids = np.random.default_rng(0).integers(len(VALID), size=1000)
    lengths = np.full(100, 10)
    by_number = chunks_by_number(Tags(VALID), ids, lengths)
    assert by_number.rows() == chunks_of([VALID[tag] for tag in ids], lengths).rows()
    assert counts_of(by_number, by_number).f1 == 1


def test_types_of_two_lists_of_tags_are_compared_by_name() -> None:
    true, predicted = chunks_of(["B-b", "B-c", "O"], [3]), chunks_of(["B-c", "B-c", "B-a"], [3])
    assert counts_of(predicted, true) == ChunkCounts(correct=1, predicted=3, true=2)


def test_without_chunks_all_figures_are_0() -> None:
    counts = counts_of(chunks_of(["O"], [1]), chunks_of(["O"], [1]))
    assert (counts, counts.precision, counts.recall, counts.f1) == (
        ChunkCounts(correct=0, predicted=0, true=0),
        0,
        0,
        0,
    )


def test_which_tags_mark_chunks() -> None:
    assert all(map(is_bio, (VALID, ["I-a", "O"], ["B-a"])))
    assert not any(map(is_bio, ([], ["O"], ["O", "NOUN"], ["B-"], ["B-a", 3], ["b-a"], STRANGE)))


def test_what_is_no_tag_is_refused() -> None:
    with pytest.raises(DataError, match=r"a tag is ''; expected text, such as B-city"):
        chunks_of(["O", ""], [2])
    with pytest.raises(DataError, match=r"a tag is None"):
        Tags(["O", None])  # pyright: ignore[reportArgumentType]
    with pytest.raises(ShapeError, match=r"tags has shape \[3\]; expected one a step, \[2\]"):
        chunks_of(["O", "O", "O"], [1, 1])
