"""Words as the characters that they are written with."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
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
    if characters.kind != "characters":
        raise DataError(f"words are spelled with a vocabulary of characters; got one of {characters.kind}.")
    if max_characters is not None and max_characters < 1:
        raise DataError(f"max_characters is {max_characters}; expected 1 or more.")
    encoded = characters.encode_documents(texts_of(words, "words"))
    most = int(encoded.lengths.max(initial=0))
    width = most if max_characters is None else min(most, max_characters)
    row = np.repeat(np.arange(len(encoded.lengths)), encoded.lengths)
    kept = encoded.starts < width
    ids = np.zeros((len(encoded.lengths), width), dtype=np.int32)
    ids[row[kept], encoded.starts[kept]] = encoded.ids[kept]
    num_cut = int(np.count_nonzero(encoded.lengths > width))
    return Spelled(ids=ids, lengths=np.minimum(encoded.lengths, width), num_cut=num_cut)


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
