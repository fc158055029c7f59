"""Words as characters: against plain Python."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.text import spelled, spelled_in, spelled_tokens

words = st.lists(st.text(alphabet="abcAé😀\u0301", max_size=5), min_size=1, max_size=8)


@given(words.filter(any), words, st.integers(1, 6) | st.none(), st.booleans())
def test_characters_of_words(seen: list[str], unseen: list[str], most: int | None, lowercase: bool) -> None:
    vocabulary = ds.Vocabulary.train(seen, kind="given", lowercase=lowercase)
    characters = vocabulary.characters_of_words()
    ids = {token: number for number, token in enumerate(characters.tokens.to_pylist())}
    found = spelled(unseen, characters, max_characters=most)
    width = max(map(len, unseen)) if most is None else min(most, max(map(len, unseen)))
    expected = np.zeros((len(unseen), width), dtype=np.int32)
    for row, word in enumerate(unseen):
        for place, character in enumerate(word[:width]):
            expected[row, place] = ids.get(character.lower() if lowercase else character, 1)
    assert np.array_equal(found.ids, expected)
    assert found.lengths.tolist() == [min(len(word), width) for word in unseen]
    assert found.num_cut == sum(len(word) > width for word in unseen)


@given(
    st.lists(words.map(" ".join), min_size=1, max_size=4), st.integers(1, 6) | st.none(), st.booleans(), st.booleans()
)
def test_characters_of_the_words_of_documents(
    documents: list[str], most: int | None, lowercase: bool, unseen: bool
) -> None:
    seen = ["a, cab" if unseen else "cab", *documents[:1]]
    vocabulary = ds.Vocabulary.train(seen, kind="words", lowercase=lowercase)
    characters = vocabulary.characters_of_words()
    tokens = vocabulary.encode_documents(documents)
    whose = np.repeat(np.arange(len(documents)), tokens.lengths)
    split = [documents[at][start:stop] for at, start, stop in zip(whose, tokens.starts, tokens.stops, strict=True)]
    found = spelled_in(documents, tokens, characters, max_characters=most)
    expected = spelled(split, characters, max_characters=most)
    assert np.array_equal(found.ids, expected.ids)
    assert np.array_equal(found.lengths, expected.lengths)
    assert found.num_cut == expected.num_cut


@given(words.filter(any))
def test_a_row_of_each_token(seen: list[str]) -> None:
    vocabulary = ds.Vocabulary.train(seen, kind="given")
    characters = vocabulary.characters_of_words()
    table = spelled_tokens(vocabulary, characters)
    assert table.lengths[:2].tolist() == [0, 0]
    assert not table.ids[:2].any()
    for word, ids in zip(vocabulary.tokens.to_pylist()[2:], table.ids[2:], strict=True):
        assert characters.decode(ids) == word


def test_what_is_not_spelled() -> None:
    pairs = ds.Vocabulary.train(["ab"], kind="bpe")
    with pytest.raises(ds.DataError, match="only words are spelled; this is a vocabulary of bpe"):
        pairs.characters_of_words()
    with pytest.raises(ds.DataError, match="with a vocabulary of characters; got one of bpe"):
        spelled(["ab"], pairs)
    characters = ds.Vocabulary.train(["ab"], kind="characters")
    with pytest.raises(ds.DataError, match="max_characters is 0; expected 1 or more"):
        spelled(["ab"], characters, max_characters=0)
