"""Text as tokens: its vocabulary, and the ids that batches hold in its place."""

import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core.documents import documents_of
from drystone.core.errors import ConfigError
from drystone.core.lengths import offsets_of
from drystone.core.sequences import Sequences
from drystone.core.string_memory import offsets_in, strings_of
from drystone.core.words import so_many
from drystone.text import Encoded, Spelled, Vocabulary, all_unknown, share_unknown, spelled, spelled_in
from drystone.text.kinds import UNKNOWN
from drystone.train.features.feature import Feature, Features
from drystone.train.features.wishes import Missing, TextWishes

UNKNOWN_WORDS = "unknown words"  # what statistics of a run call their share in each part
MOST_CHARACTERS = 24  # of a word's spelling, from its start


def token_features(train: Sequences, name: str, wishes: TextWishes, missing: Missing) -> list[Feature]:
    """Returns the features of text: the ids of its tokens, and the spelling of words where that is asked for.

    Args:
        train: the training part, which the vocabulary is made of.
        name: the field: of documents, or of words that are split already.
        wishes: what was said of text.
        missing: what becomes of missing words.

    Raises:
        DataError: there is no token that comes often enough.
        ConfigError: a wish that does not suit documents, or words.
    """
    is_of_documents = name == train.text
    kind = (wishes.tokens or "words") if is_of_documents else "given"
    _check(name, wishes, is_of_documents=is_of_documents)
    of_texts = partial(
        Vocabulary.train, kind=kind, size=wishes.size, min_count=wishes.min_count, lowercase=wishes.lowercase
    )
    texts = documents_of(train) if is_of_documents else _words(train.field(name).compact.values)
    vocabulary = of_texts(texts)
    if is_of_documents and wishes.max_tokens is not None:
        vocabulary = of_texts(_beginnings(texts, vocabulary, wishes.max_tokens))  # what is not read teaches no vector
    found = [Feature(name=name, kind="tokens", vocabulary=vocabulary, missing=missing)]
    if wishes.spelling:
        longest = pc.max(pc.utf8_length(vocabulary.tokens.slice(UNKNOWN + 1))).as_py()
        shape = (min(longest, MOST_CHARACTERS),)
        spelling = f"spelling of {name}"
        found.append(
            Feature(name=spelling, kind="spelling", source=name, shape=shape, vocabulary=vocabulary, missing=missing)
        )
    return found


def _check(name: str, wishes: TextWishes, *, is_of_documents: bool) -> None:
    if wishes.tokens is not None and not is_of_documents:
        raise ConfigError(
            f"tokens is {wishes.tokens!r}, and {name!r} holds words that are split already; leave out tokens, or give documents."
        )
    if wishes.spelling and wishes.tokens in ("characters", "bpe"):
        raise ConfigError(
            f"spelling reads words letter by letter, and tokens is {wishes.tokens!r}; take tokens='words' (--tokens words), or "
            f"leave out spelling."
        )


def token_numbers(values: Any, feature: Feature) -> npt.NDArray[Any]:
    """Returns the id of each token, [tokens], or those of its characters, [tokens, characters].

    Args:
        values: words, or characters; what is missing is unknown.
        feature: of tokens, or of their spelling.
    """
    assert feature.vocabulary is not None
    words = _words(values)
    if feature.kind == "spelling":
        distinct = words.dictionary_encode()
        found = spelled(distinct.dictionary, feature.vocabulary.characters_of_words(), max_characters=feature.size)
        return _as_wide(found, feature)[np.asarray(distinct.indices)]
    if feature.vocabulary.kind == "characters":
        return feature.vocabulary.encode_documents(_together(words)).ids
    return feature.vocabulary.ids_of(words)


def _beginnings(documents: pa.LargeStringArray, vocabulary: Vocabulary, max_tokens: int) -> list[str]:
    """Returns the documents up to where the first token starts that is not read."""
    found = vocabulary.encode_documents(documents)
    ends: list[int | None] = [None] * len(documents)
    for number in np.flatnonzero(found.lengths > max_tokens).tolist():
        ends[number] = int(found.starts[offsets_of(found.lengths)[number] + max_tokens])
    return [text[:end] for text, end in zip(documents.to_pylist(), ends, strict=True)]


def document_numbers(documents: pa.LargeStringArray, tokens: Encoded, feature: Feature) -> npt.NDArray[Any]:
    """Returns the id of each token of documents, [tokens], or those of its characters, [tokens, characters].

    Args:
        documents: one a value.
        tokens: of them.
        feature: of tokens, or of their spelling.
    """
    assert feature.vocabulary is not None
    if feature.kind == "tokens":
        return tokens.ids
    characters = feature.vocabulary.characters_of_words()
    return _as_wide(spelled_in(documents, tokens, characters, max_characters=feature.size), feature)


def _as_wide(found: Spelled, feature: Feature) -> npt.NDArray[Any]:
    """Returns ids of characters as wide as the feature, in few bytes: there are many words."""
    is_small = found.ids.max(initial=0) <= np.iinfo(np.int16).max
    table = np.zeros((len(found.ids), feature.size), dtype=np.int16 if is_small else np.int32)
    table[:, : found.ids.shape[1]] = found.ids
    return table


def _together(characters: pa.LargeStringArray) -> pa.LargeStringArray:
    """Returns one text of all characters, without a copy."""
    return strings_of(offsets_in(characters)[[0, -1]], characters.buffers()[2])


def _words(values: Any) -> pa.LargeStringArray:
    return cast("pa.LargeStringArray", pc.fill_null(pa.array(values, pa.large_string(), from_pandas=True), ""))


def warn_of_all_unknown(seqs: Sequences, feature: Feature) -> None:
    """Warns of sequences of which the model knows no token.

    Args:
        seqs: the sequences, with ids.
        feature: of tokens.
    """
    found = all_unknown(seqs.field(feature.field).values, seqs.lengths)
    if len(found):
        count = so_many(len(found), "sequence")
        warnings.warn(
            f"{count} {'holds' if len(found) == 1 else 'hold'} no word of {feature.source!r} that training saw, the first "
            f"{seqs.place(int(found[0]))}; the model reads all of their words as unknown.",
            stacklevel=2,
        )


def unknown_shares(parts: Mapping[str, Sequences], features: Features) -> dict[str, float]:
    """Returns the share of unknown words in each part, 0 to 1; nothing where there is no text.

    Args:
        parts: by name; that went through `encoded`.
        features: the inputs.
    """
    fields = [feature.field for feature in features.fields if feature.kind == "tokens"]
    return {
        part: share_unknown(seqs.field(field).values) for field in fields for part, seqs in parts.items() if len(seqs)
    }
