"""Ids and places of tokens: against the file's own tokenizer, and against plain Python."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

import drystone as ds
from drystone.text import all_unknown, pieces, texts

DOCUMENTS = ["words", "characters", "bpe"]
odd = st.sampled_from(
    [" a", " a b ", "😀", "e\u0301", "\0", "\n", "\r\n", "İ", "ß", "中文", "𝔘", "\u200d", "<unk>", " ", "don't", "_"]
)
documents = st.lists(st.lists(st.text(max_size=5) | odd, max_size=6).map("".join), min_size=1, max_size=6)


@given(documents, documents, st.sampled_from(DOCUMENTS), st.booleans())
def test_ids_are_those_of_the_files_own_tokenizer(
    seen: list[str], unseen: list[str], kind: str, lowercase: bool
) -> None:
    vocabulary = ds.Vocabulary.train([*seen, "a"], kind=kind, lowercase=lowercase, size=300)
    plain = Tokenizer.from_str(vocabulary.to_json())
    every = [*seen, *unseen]
    encoded = vocabulary.encode_documents(every)
    expected = [plain.encode(text) for text in every]
    assert encoded.ids.tolist() == [number for encoding in expected for number in encoding.ids]
    assert encoded.lengths.tolist() == [len(encoding) for encoding in expected]
    assert encoded.starts.tolist() == [start for encoding in expected for start, _ in encoding.offsets]
    assert encoded.stops.tolist() == [stop for encoding in expected for _, stop in encoding.offsets]
    assert encoded.empty.tolist() == [i for i, encoding in enumerate(expected) if not encoding.ids]
    unknown = [i for i, encoding in enumerate(expected) if encoding.ids and set(encoding.ids) == {1}]
    assert encoded.all_unknown.tolist() == unknown


@given(
    st.lists(st.text(min_size=1, max_size=3) | st.sampled_from(["<unk>", "<pad>", "<<pad>"]), min_size=1), st.booleans()
)
def test_ids_of_given_words_are_those_of_the_files_own_tokenizer(words: list[str], lowercase: bool) -> None:
    vocabulary = ds.Vocabulary.train(words[::2], kind="given", lowercase=lowercase)
    plain = Tokenizer.from_str(vocabulary.to_json())
    assert vocabulary.ids_of(words).tolist() == plain.encode(words, is_pretokenized=True).ids


@given(documents)
def test_words_start_where_python_finds_them(every: list[str]) -> None:
    vocabulary = ds.Vocabulary.train([*every, "a"], kind="words")
    encoded = vocabulary.encode_documents(every)
    whose = np.repeat(np.arange(len(every)), encoded.lengths)
    places = zip(whose, encoded.starts, encoded.stops, vocabulary.tokens_of(encoded.ids), strict=True)
    for document, start, stop, token in places:
        assert every[document][start:stop] == token


@given(documents, st.booleans())
def test_every_character_is_one_token(every: list[str], lowercase: bool) -> None:
    encoded = ds.Vocabulary.train([*every, "a"], kind="characters", lowercase=lowercase).encode_documents(every)
    assert encoded.lengths.tolist() == [len(text) for text in every]
    assert encoded.starts.tolist() == [place for text in every for place in range(len(text))]
    assert (encoded.ids > 1).all()


@given(documents)
def test_byte_pairs_start_in_the_character_of_their_first_byte(every: list[str]) -> None:
    vocabulary = ds.Vocabulary.train([*every, "a"], kind="bpe", size=300)
    encoded = vocabulary.encode_documents(every)
    expected = []
    bounds = np.cumsum(encoded.lengths)[:-1]
    for text, ids in zip(every, np.split(encoded.ids, bounds), strict=True):
        num_bytes = [len(token) for token in vocabulary.tokens_of(ids)]  # in the file a byte is one letter
        character = [place for place, letter in enumerate(text) for _ in letter.encode()]
        expected += [character[sum(num_bytes[:token])] for token in range(len(ids))]
    assert encoded.starts.tolist() == expected


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_blocks_change_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    every = ["a bird", "", "😀 and a bird", "é", "", "a"] * 5
    whole = ds.Vocabulary.train(every, kind=kind, size=270)
    expected = whole.encode_documents(every)
    monkeypatch.setattr(texts, "BLOCK_BYTES", 7)
    assert [len(block) for block in texts.blocks(pa.array(every[:6], pa.large_string()))] == [2, 1, 3]
    assert ds.Vocabulary.train(every, kind=kind, size=270) == whole
    found = whole.encode_documents(every)
    for name in ("ids", "lengths", "starts"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))


@given(documents, st.sampled_from(["words", "bpe"]), st.integers(1, 9))
def test_long_documents_are_cut_where_no_token_reaches_over(every: list[str], kind: str, longest: int) -> None:
    vocabulary = ds.Vocabulary.train([*every, "a b"], kind=kind, size=300)
    expected = vocabulary.encode_documents(every)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "PIECE_CHARACTERS", longest)
        cut = pieces.Pieces.of(pa.array(every, pa.large_string()))
        found = vocabulary.encode_documents(every)
        assert ds.Vocabulary.train([*every, "a b"], kind=kind, size=300) == vocabulary
    assert "".join(cut.texts.to_pylist()) == "".join(every)
    for piece, document, start in zip(cut.texts.to_pylist(), cut.document, cut.start, strict=True):
        assert every[document].startswith(piece, start)
    for name in ("ids", "lengths", "starts"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))


def test_a_long_document_has_pieces_of_about_one_length() -> None:
    text = "the cat sat\n" * 20_000
    cut = pieces.Pieces.of(pa.array(["short", text, "", text], pa.large_string()))
    assert cut.document.tolist() == [0, 1, 1, 1, 1, 2, 3, 3, 3, 3]
    longest = max(map(len, cut.texts.to_pylist()))
    assert pieces.PIECE_CHARACTERS <= longest < pieces.PIECE_CHARACTERS + 4


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_slice_of_an_arrow_array_is_read_where_it_lies(kind: str) -> None:
    vocabulary = ds.Vocabulary.train(["abc 😀"], kind=kind)
    every = pa.array(["😀 a", "b", "c 😀", "a"], pa.large_string())
    found = vocabulary.encode_documents(every.slice(1, 2))
    expected = vocabulary.encode_documents(["b", "c 😀"])
    assert found.ids.tolist() == expected.ids.tolist()
    assert found.lengths.tolist() == expected.lengths.tolist()


@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.parametrize("every", [[], ["", ""]])
def test_nothing_is_encoded_as_nothing(kind: str, every: list[str]) -> None:
    encoded = ds.Vocabulary.train(["a"], kind=kind).encode_documents(every)
    assert len(encoded.ids) == len(encoded.starts) == 0
    assert encoded.ids.dtype == np.int32
    assert encoded.lengths.tolist() == [0] * len(every)
    assert encoded.empty.tolist() == list(range(len(every)))


def test_a_lowered_character_stays_one() -> None:
    upper = [letter for letter in map(chr, range(0xD800)) if letter.lower() != letter]
    vocabulary = ds.Vocabulary.train(upper, kind="characters", lowercase=True)
    expected = {"i" if letter == "İ" else letter.lower() for letter in upper}
    assert set(vocabulary.tokens.to_pylist()[2:]) == expected


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(1, 3), max_size=4), max_size=6))
def test_sequences_of_unknown_words_only_are_found(rows: list[list[int]]) -> None:
    ids = np.array([number for row in rows for number in row], dtype=np.int64)
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    assert all_unknown(ids, lengths).tolist() == [i for i, row in enumerate(rows) if row and set(row) == {1}]


def test_the_file_is_read_by_the_library(tmp_path: Path) -> None:
    vocabulary = ds.Vocabulary.train(["To be, or not to be"], kind="words")
    vocabulary.save(tmp_path / "words.json")
    plain = Tokenizer.from_file(str(tmp_path / "words.json"))
    assert plain.encode("not to be seen").ids == vocabulary.encode_documents(["not to be seen"]).ids.tolist()
