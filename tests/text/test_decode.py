"""Ids back to text: exact for characters and byte pairs, readable for words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds

odd = st.sampled_from(["😀", "e\u0301", "\0", "\n", "\r\n", "𝔘", "\u200d", "<unk>", "<pad>", " ' s", "  ", "\ufffd"])
documents = st.lists(st.text(max_size=8) | odd, min_size=1, max_size=8).map("".join)


@given(documents, st.text(min_size=1, max_size=20))
def test_byte_pairs_give_any_text_back(text: str, seen: str) -> None:
    vocabulary = ds.Vocabulary.train([seen], kind="bpe", size=300)
    encoded = vocabulary.encode_documents([text])
    assert (encoded.ids > 1).all()
    assert vocabulary.decode(encoded.ids) == text


@given(documents.filter(bool))
def test_characters_give_the_text_back(text: str) -> None:
    vocabulary = ds.Vocabulary.train([text], kind="characters")
    assert vocabulary.decode(vocabulary.encode_documents([text]).ids) == text


def test_unknown_characters_and_padding() -> None:
    vocabulary = ds.Vocabulary.train(["ab"], kind="characters")
    assert vocabulary.decode([2, 1, 3, 0, 0]) == "a\N{REPLACEMENT CHARACTER}b"
    assert vocabulary.decode([]) == ""


def test_half_a_character_is_told_as_such() -> None:
    vocabulary = ds.Vocabulary.train(["abc"], kind="bpe", size=258)
    assert vocabulary.decode(vocabulary.encode_documents(["é"]).ids[:1]) == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    "text",
    [
        "I don't know (yet), she's here: wait!",
        "It costs 5%; they'll pay, won't they?",
        'he said " stop " [once].',
        "...",
        "’s",
    ],
)
def test_words_are_joined_as_people_write(text: str) -> None:
    vocabulary = ds.Vocabulary.train([text], kind="words")
    assert vocabulary.decode(vocabulary.encode_documents([text]).ids) == text.replace("’s", "’ s")


def test_given_words_are_joined_by_spaces_only() -> None:
    vocabulary = ds.Vocabulary.train(["it", "'s", ","], kind="given")
    ids = vocabulary.ids_of(["it", "'s", ",", "so"])
    assert vocabulary.decode(np.append(ids, 0)) == "it 's , <unk>"


@pytest.mark.parametrize("wrong", [-1, 3])
def test_an_id_that_no_token_has_is_refused(wrong: int) -> None:
    vocabulary = ds.Vocabulary.train(["a"], kind="given")
    for call in (vocabulary.decode, vocabulary.tokens_of):
        with pytest.raises(ds.DataError, match=f"no token has the id {wrong}; there are 3, from 0."):
            call([2, wrong])
