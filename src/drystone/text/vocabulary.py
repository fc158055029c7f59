"""Which tokens there are, and their ids."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from tokenizers import Tokenizer

from drystone.core.errors import DataError
from drystone.core.storage import check_free, whole_file
from drystone.core.words import so_many
from drystone.text import decode, vocabulary_file
from drystone.text.encode import Encoded, encode_by_tokenizer, encode_characters
from drystone.text.kinds import (
    OWN_TOKENS,
    PADDING,
    UNKNOWN,
    Kind,
    check_kind,
    escaped,
    lowered,
    tokenizer_of,
    unescaped,
)
from drystone.text.texts import texts_of
from drystone.text.training import Training, trained
from drystone.text.unknown import chosen

Ids = npt.NDArray[np.int32]
Integers = npt.NDArray[np.integer]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vocabulary:
    """The tokens of a training part, and their ids.

    Id 0 is padding and 1 the unknown word; no token of the data is either, not even one that reads `<pad>` or `<unk>`.
    Ids from 2 go by falling count, ties by the token's characters, so they are the same on every machine.

    | kind | a token is | of |
    | --- | --- | --- |
    | `words` | a run of letters, digits and their marks, or a punctuation mark | documents |
    | `characters` | a character (a code point of Unicode) | documents |
    | `bpe` | a run of bytes that come together often; nothing is unknown | documents |
    | `given` | a word as it is | words that are split already |

    Args:
        kind: what a token is.
        lowercase: whether texts are lowered first, each character to one.
        first_rare: from this id on, tokens are rare.
        tokenizer: the tokenizer of the library `tokenizers`.

    Attributes:
        tokens: all tokens, by id.

    Example:
        >>> words = Vocabulary.train(["The dog saw the cat.", "The end."], kind="words", lowercase=True)
        >>> words
        Vocabulary(words: 8 tokens, 4 of them rare)
        >>> words.encode_documents(["The bird saw the dog"]).ids
        array([2, 1, 7, 2, 5], dtype=int32)
        >>> words.decode([2, 1, 7, 2, 5])
        'the <unk> saw the dog'
    """

    kind: Kind
    lowercase: bool
    first_rare: int
    tokenizer: Tokenizer
    tokens: pa.LargeStringArray = field(init=False)

    def __post_init__(self) -> None:
        ids = self.tokenizer.get_vocab()
        by_id = sorted(ids, key=ids.__getitem__)[len(OWN_TOKENS) :]
        tokens = [*OWN_TOKENS, *(unescaped(self.kind, token) for token in by_id)]
        object.__setattr__(self, "tokens", pa.array(tokens, type=pa.large_string()))

    @classmethod
    def train(
        cls,
        texts: Any,
        *,
        kind: Kind,
        size: int | None = None,
        min_count: int = 1,
        lowercase: bool = False,
        rare_count: int = 1,
    ) -> Self:
        """Makes the vocabulary of a training part.

        Args:
            texts: documents, or words for kind "given": a list, an array or a text field.
            kind: what a token is.
            size: the most tokens, padding and unknown among them; the most frequent ones are kept. None is 8,000 for
                byte pairs, and all there are for other kinds.
            min_count: tokens that are counted less often are left out, so that they are unknown; for byte pairs, pairs
                that are counted less often are not joined.
            lowercase: whether texts are lowered first.
            rare_count: tokens that are counted so often or less are rare: `replaced` takes some for unknown.

        Raises:
            DataError: texts that are none or hold no token, no token that comes often enough, or a size that holds none.

        Example:
            >>> Vocabulary.train(["play", "some", "jazz", "play"], kind="given").tokens.to_pylist()
            ['<pad>', '<unk>', 'play', 'jazz', 'some']
        """
        training = Training(
            kind=check_kind(kind), size=size, min_count=min_count, lowercase=lowercase, rare_count=rare_count
        )
        found = trained(texts_of(texts, "texts"), training)
        return cls(
            kind=training.kind,
            lowercase=lowercase,
            first_rare=len(OWN_TOKENS) + found.first_rare,
            tokenizer=tokenizer_of(training.kind, found.tokens, found.merges, lowercase=lowercase),
        )

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads a file that `save` wrote.

        Raises:
            DataError: there is no such file, it is damaged, or no vocabulary of drystone.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is damaged: it is no text in UTF-8 ({error}).") from error
        return cls._of(text, str(path))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` returned.

        Raises:
            DataError: it is damaged, or no vocabulary of drystone.
        """
        return cls._of(text, "the JSON text")

    @classmethod
    def _of(cls, text: str, name: str) -> Self:
        content = vocabulary_file.content_of(text, name)
        return cls(
            kind=content.kind,
            lowercase=content.lowercase,
            first_rare=content.first_rare,
            tokenizer=content.tokenizer,
        )

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Writes one JSON file, which `tokenizers.Tokenizer.from_file` reads too.

        Raises:
            DataError: the folder does not exist, or the file does and may not be replaced.
        """
        check_free(Path(path), overwrite=overwrite)
        with whole_file(Path(path)) as partial:
            partial.write_text(self.to_json(), encoding="utf-8")

    def to_json(self) -> str:
        """Returns what `save` writes."""
        return vocabulary_file.text_of(
            vocabulary_file.Content(
                kind=self.kind, lowercase=self.lowercase, first_rare=self.first_rare, tokenizer=self.tokenizer
            )
        )

    def ids_of(self, words: Any) -> Ids:
        """Returns [words]: the ids of words that are split already.

        Args:
            words: a list, an array or a text field of a word a value.

        Raises:
            DataError: a word is missing, or the vocabulary is of documents.

        Example:
            >>> Vocabulary.train(["play", "some", "jazz"], kind="given").ids_of(["play", "some", "blues"])
            array([3, 4, 1], dtype=int32)
        """
        if self.kind != "given":
            raise DataError(f"a vocabulary of {self.kind} cuts documents itself; use encode_documents.")
        array = texts_of(words, "words")
        if self.lowercase:
            distinct = array.dictionary_encode()
            tokens = lowered(distinct.dictionary.to_pylist())
            array = pa.array(tokens, type=pa.large_string()).take(distinct.indices)
        known = pc.index_in(array, value_set=self.tokens.slice(len(OWN_TOKENS)))
        return np.asarray(pc.fill_null(pc.add(known, len(OWN_TOKENS)), UNKNOWN), dtype=np.int32)

    def encode_documents(self, texts: Any) -> Encoded:
        """Returns the tokens of documents as ids, and where each starts.

        Documents are encoded on all cores, in blocks; a document that has no token is named by `Encoded.empty`.

        Args:
            texts: documents: a list, an array or a text field of one a value.

        Raises:
            DataError: a document is missing, or the vocabulary is of words that are split already.

        Example:
            >>> Vocabulary.train(["abba"], kind="characters").encode_documents(["ab", "cab"]).ids
            array([2, 3, 1, 2, 3], dtype=int32)
        """
        if self.kind == "given":
            raise DataError("a vocabulary of given words cuts no documents; use ids_of.")
        encode = encode_characters if self.kind == "characters" else encode_by_tokenizer
        return encode(texts_of(texts, "texts"), self.tokenizer)

    def decode(self, ids: npt.ArrayLike) -> str:
        """Returns the text of token ids; padding is left out.

        Characters and byte pairs give the text back exactly; an unknown character is U+FFFD, and so are bytes that are
        no whole character. Words are joined by spaces, but around punctuation marks.

        Args:
            ids: [tokens].

        Raises:
            DataError: an id that no token has.
        """
        there = self._check(ids)
        there = there[there != PADDING]
        if self.kind == "bpe":
            return self.tokenizer.decode(there.tolist(), skip_special_tokens=False)
        tokens = self.tokens.take(pa.array(there)).to_pylist()
        if self.kind == "characters":
            tokens = [
                decode.UNKNOWN_CHARACTER if number == UNKNOWN else token
                for number, token in zip(there, tokens, strict=True)
            ]
        return decode.text_of(self.kind, tokens)

    def tokens_of(self, ids: npt.ArrayLike) -> list[str]:
        """Returns the tokens of ids; bytes of byte pairs are written as the file writes them (`Ġ` is a space).

        Args:
            ids: [tokens].

        Raises:
            DataError: an id that no token has.
        """
        return self.tokens.take(pa.array(self._check(ids))).to_pylist()

    def replaced(
        self, ids: Integers, sequence: Integers, step: Integers, *, rate: float = 0.5, seed: int, epoch: int
    ) -> Bools:
        """Returns which tokens of a training batch are to be read as the unknown word, so that it is learned.

        Each rare token is replaced at this rate, anew in each epoch. Half of the words that the training part has once
        is what Dyer et al. ("Transition-based dependency parsing with stack long short-term memory", ACL 2015) and
        Lample et al. ("Neural architectures for named entity recognition", NAACL 2016) take. The choice depends on
        (seed, epoch, sequence, step) only: batches, ranks and stops do not change it.

        Args:
            ids: [...] token ids, of any shape; one that no token has, such as that which begins a document, stays.
            sequence: [...] the number of each token's sequence; read only where a token is rare.
            step: [...] the number of each token in its sequence; read only where a token is rare.
            rate: the probability of replacing a rare token, from 0 to 1.
            seed: fixes the choice, with the epoch.
            epoch: counts passes over the data.

        Raises:
            DataError: a rate outside 0 … 1, or a sequence or step below 0 where a token is rare.
            LayoutError: a seed or an epoch that is no whole number in 0 … 2⁶⁴ − 1.

        Example:
            >>> words = Vocabulary.train(["play", "play", "some", "jazz"], kind="given")
            >>> ids = words.ids_of(["play", "some", "play", "jazz"])
            >>> words.replaced(ids, np.full(4, 7), np.arange(4), seed=0, epoch=2)
            array([False,  True, False, False])
        """
        result = (ids >= self.first_rare) & (ids < len(self))
        rare = np.nonzero(result)
        whose, where = (np.broadcast_to(numbers, ids.shape)[rare] for numbers in (sequence, step))
        result[rare] = chosen(whose, where, rate=rate, seed=seed, epoch=epoch)
        return result

    def characters_of_words(self) -> "Vocabulary":
        """Returns the vocabulary of the characters that the words are written with, for `spelled`.

        Raises:
            DataError: the tokens are no words.
        """
        if self.kind not in ("words", "given"):
            raise DataError(f"only words are spelled; this is a vocabulary of {self.kind}.")
        words = self.tokens.slice(len(OWN_TOKENS))
        return Vocabulary.train(words, kind="characters", lowercase=self.lowercase)

    def _check(self, ids: npt.ArrayLike) -> npt.NDArray[np.int64]:
        array = np.asarray(ids, dtype=np.int64).reshape(-1)
        wrong = (array < 0) | (array >= len(self))
        if wrong.any():
            raise DataError(f"no token has the id {array[wrong][0]}; there are {len(self)}, from 0.")
        return array

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        number = self.tokenizer.token_to_id(escaped(self.kind, token)) if isinstance(token, str) else None
        return number is not None and number >= len(OWN_TOKENS)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())

    def __repr__(self) -> str:
        num_rare = len(self) - self.first_rare
        return f"Vocabulary({self.kind}: {so_many(len(self), 'token')}, {num_rare:,} of them rare)"
