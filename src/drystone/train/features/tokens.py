"""Text as tokens: its vocabulary, and the ids that batches hold in its place."""

import warnings
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core.sequences import Sequences
from drystone.core.words import so_many
from drystone.text import Vocabulary, all_unknown, share_unknown, spelled
from drystone.train.features.feature import Feature, Features
from drystone.train.features.wishes import TextWishes

UNKNOWN_WORDS = "unknown words"  # what statistics of a run call their share in each part
MOST_CHARACTERS = 24  # of a word's spelling, from its start


def token_features(train: Sequences, name: str, wishes: TextWishes, **common: Any) -> list[Feature]:
    """Returns the features of a field of words: their ids, and their spelling where that is asked for.

    Args:
        train: the training part, which the vocabulary is made of.
        name: the field.
        wishes: what was said of text.
        **common: of both features.

    Raises:
        DataError: there is no word that comes often enough.
    """
    words = _words(train.field(name).compact.values)
    vocabulary = Vocabulary.train(
        words, kind="given", size=wishes.size, min_count=wishes.min_count, lowercase=wishes.lowercase
    )
    found = [Feature(**common, name=name, kind="tokens", vocabulary=vocabulary)]
    if wishes.spelling:
        shape = (min(pc.max(pc.utf8_length(words)).as_py(), MOST_CHARACTERS),)
        spelling = f"spelling of {name}"
        found.append(Feature(**common, name=spelling, kind="spelling", source=name, shape=shape, vocabulary=vocabulary))
    return found


def token_numbers(values: Any, feature: Feature) -> npt.NDArray[Any]:
    """Returns the id of each word, [words], or those of its characters, [words, characters].

    Args:
        values: words; what is missing is unknown.
        feature: of tokens, or of their spelling.
    """
    assert feature.vocabulary is not None
    words = _words(values)
    if feature.kind == "tokens":
        return feature.vocabulary.ids_of(words)
    distinct = words.dictionary_encode()
    (most,) = feature.shape
    found = spelled(distinct.dictionary, feature.vocabulary.characters_of_words(), max_characters=most).ids
    table = np.zeros((len(found), most), dtype=found.dtype)
    table[:, : found.shape[1]] = found
    return table[np.asarray(distinct.indices)]


def _words(values: Any) -> pa.LargeStringArray:
    return cast("pa.LargeStringArray", pc.fill_null(pa.array(values, pa.large_string(), from_pandas=True), ""))


def warn_of_all_unknown(seqs: Sequences, name: str, ids: npt.NDArray[Any]) -> None:
    """Warns of sequences of which the model knows no word.

    Args:
        seqs: the sequences.
        name: the field.
        ids: of all their words.
    """
    found = all_unknown(ids, seqs.lengths)
    if len(found):
        count = so_many(len(found), "sequence")
        warnings.warn(
            f"{count} {'holds' if len(found) == 1 else 'hold'} no word of {name!r} that training saw, the first "
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
