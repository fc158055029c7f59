"""Words as the characters that they are written with."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drystone.core.errors import DataError
from drystone.core.lengths import offsets_of
from drystone.text.encode import Encoded
from drystone.text.kinds import OWN_TOKENS
from drystone.text.texts import texts_of
from drystone.text.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spelled:
    """The characters of words.

    Args:
        ids: [words, most characters] of each character; 0 where a word has no more.
        lengths: [words] how many characters each has here.
        num_cut: how many words have more characters than were asked for.
    """

    ids: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int64]
    num_cut: int


def spelled(words: Any, characters: Vocabulary, *, max_characters: int | None = None) -> Spelled:
    """Returns the characters of words, known or not.

    Args:
        words: a list, an array or a text field of a word a value.
        characters: their vocabulary, such as `Vocabulary.characters_of_words` makes.
        max_characters: the first so many characters of a word are kept; all by default.

    Raises:
        DataError: a word is missing, or the vocabulary is not of characters.

    Example:
        >>> words = Vocabulary.train(["dad", "add"], kind="given")
        >>> found = spelled(["add", "ad", "adz"], words.characters_of_words())
        >>> found.ids, found.lengths
        (array([[3, 2, 2],
               [3, 2, 0],
               [3, 2, 1]], dtype=int32), array([3, 2, 3]))
    """
    encoded = _characters_of(texts_of(words, "words"), characters, max_characters)
    return _side_by_side(encoded.ids, offsets_of(encoded.lengths)[:-1], encoded.lengths, max_characters)


def spelled_in(
    documents: Any, tokens: Encoded, characters: Vocabulary, *, max_characters: int | None = None
) -> Spelled:
    """Returns the characters of the words of documents, as they stand there, known or not.

    Args:
        documents: a list, an array or a text field of one a value.
        tokens: their words: what `Vocabulary.encode_documents` returned for them.
        characters: as in `spelled`.
        max_characters: as in `spelled`.

    Raises:
        DataError: as in `spelled`.

    Example:
        >>> words = Vocabulary.train(["dad, add"], kind="words")
        >>> documents = ["add a", "adz"]
        >>> spelled_in(documents, words.encode_documents(documents), words.characters_of_words()).ids
        array([[3, 2, 2],
               [3, 0, 0],
               [3, 2, 1]], dtype=int32)
    """
    encoded = _characters_of(texts_of(documents, "documents"), characters, max_characters)
    first = np.repeat(offsets_of(encoded.lengths)[:-1], tokens.lengths) + tokens.starts
    return _side_by_side(encoded.ids, first, tokens.stops - tokens.starts, max_characters)


def _characters_of(texts: pa.LargeStringArray, characters: Vocabulary, max_characters: int | None) -> Encoded:
    if characters.kind != "characters":
        raise DataError(f"words are spelled with a vocabulary of characters; got one of {characters.kind}.")
    if max_characters is not None and max_characters < 1:
        raise DataError(f"max_characters is {max_characters}; expected 1 or more.")
    return characters.encode_documents(texts)


def _side_by_side(
    ids: npt.NDArray[np.int32],
    first: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    max_characters: int | None,
) -> Spelled:
    """Returns a row a word; its characters are ids[first], ids[first + 1], ..."""
    most = int(lengths.max(initial=0))
    width = most if max_characters is None else min(most, max_characters)
    found, there = np.zeros((len(first), width), dtype=np.int32), np.arange(len(first))
    for place in range(width):
        there = there[lengths[there] > place]
        found[there, place] = ids[first[there] + place]
    num_cut = int(np.count_nonzero(lengths > width))
    return Spelled(ids=found, lengths=np.minimum(lengths, width), num_cut=num_cut)


def spelled_tokens(words: Vocabulary, characters: Vocabulary, *, max_characters: int | None = None) -> Spelled:
    """Returns the characters of each word of a vocabulary, by its id; padding and the unknown word have none.

    Args:
        words: a vocabulary of words, or of given ones.
        characters: their vocabulary, such as `Vocabulary.characters_of_words` makes.
        max_characters: the first so many characters of a word are kept; all by default.

    Raises:
        DataError: the vocabulary is not of characters.

    Example:
        >>> words = Vocabulary.train(["dad", "add"], kind="given")
        >>> spelled_tokens(words, words.characters_of_words()).lengths
        array([0, 0, 3, 3])
    """
    found = spelled(words.tokens.slice(len(OWN_TOKENS)), characters, max_characters=max_characters)
    own = np.zeros((len(OWN_TOKENS), found.ids.shape[1]), dtype=np.int32)
    lengths = np.append(np.zeros(len(OWN_TOKENS), dtype=np.int64), found.lengths)
    return Spelled(ids=np.concatenate([own, found.ids]), lengths=lengths, num_cut=found.num_cut)
