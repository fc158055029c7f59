"""Vocabularies from texts: tokens are counted, and numbered by how often they came."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tokenizers import Tokenizer
from tokenizers.models import BPE, WordLevel
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer, WordLevelTrainer

from drystone.core.errors import DataError
from drystone.text.kinds import OWN_TOKENS, UNKNOWN_TOKEN, Kind, Merges, lowered, prepare
from drystone.text.pieces import Pieces
from drystone.text.texts import blocks, code_points

NUM_BYTES = 256
DEFAULT_SIZE_OF_BPE = 8_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How a vocabulary is trained.

    Args:
        kind: what a token is.
        size: the most tokens of the vocabulary, padding and unknown among them; None is 8,000 for byte pairs and
            all there are for other kinds.
        min_count: tokens that are counted less often are unknown; pairs of tokens are not joined.
        lowercase: whether texts are lowered first.
        rare_count: tokens that are counted so often or less are rare.
    """

    kind: Kind
    size: int | None = None
    min_count: int = 1
    lowercase: bool = False
    rare_count: int = 1

    def __post_init__(self) -> None:
        least = len(OWN_TOKENS) + (NUM_BYTES if self.kind == "bpe" else 1)
        if self.size is not None and self.size < least:
            needs = f"and all {NUM_BYTES} bytes" if self.kind == "bpe" else "and one token"
            raise DataError(f"size is {self.size}; padding, the unknown word {needs} need at least {least}.")
        if self.min_count < 1:
            raise DataError(f"min_count is {self.min_count}; expected 1 or more.")
        if self.rare_count < 0:
            raise DataError(f"rare_count is {self.rare_count}; expected 0 (no token is rare) or more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What training found: tokens by falling count, ties by the token, and the first one (from 0) that is rare."""

    tokens: Sequence[str]
    merges: Merges
    first_rare: int


def trained(texts: pa.LargeStringArray, training: Training) -> Trained:
    """Counts the tokens of texts, and chooses those of the vocabulary.

    Raises:
        DataError: the texts hold no token, or none that comes often enough.
    """
    if training.kind == "bpe":
        counted, merges = _byte_pairs(texts, training)
        kept = counted
    else:
        counted, merges = _counted(texts, training), ()
        often = pc.greater_equal(counted["count"], training.min_count)
        kept = counted.filter(often).slice(0, None if training.size is None else training.size - len(OWN_TOKENS))
    if not pc.sum(counted["count"]).as_py():
        raise DataError("the training part holds no token; a vocabulary needs one at least.")
    if not len(kept):
        raise DataError(
            f"no token is counted at least min_count={training.min_count} times; the most frequent one, "
            f"{counted['token'][0].as_py()!r}, is counted {counted['count'][0].as_py()} times."
        )
    first_rare = int(np.count_nonzero(kept["count"].to_numpy() > training.rare_count))
    return Trained(tokens=kept["token"].to_pylist(), merges=merges, first_rare=first_rare)


def _counted(texts: pa.LargeStringArray, training: Training) -> pa.Table:
    if training.kind == "words":
        return _words(texts, lowercase=training.lowercase)
    counted = _characters(texts) if training.kind == "characters" else pc.value_counts(texts)
    tokens, counts = counted.field(0), counted.field(1)
    return _by_count(lowered(tokens.to_pylist()) if training.lowercase else tokens, counts)


def _characters(texts: pa.LargeStringArray) -> pa.StructArray:
    counts = np.zeros(sys.maxunicode + 1, dtype=np.int64)
    for block in blocks(texts):
        found = np.bincount(code_points(block))
        counts[: len(found)] += found
    found = np.flatnonzero(counts)
    tokens = pa.array([chr(number) for number in found], type=pa.large_string())
    return pa.StructArray.from_arrays([tokens, pa.array(counts[found])], ["values", "counts"])


def _words(texts: pa.LargeStringArray, *, lowercase: bool) -> pa.Table:
    tokenizer = Tokenizer(WordLevel({}, unk_token=UNKNOWN_TOKEN))
    prepare(tokenizer, "words", lowercase=lowercase)
    every_word = WordLevelTrainer(vocab_size=sys.maxsize, min_frequency=0, show_progress=False)
    tokenizer.train_from_iterator(_documents(texts), every_word)
    return _by_count(*_occurrences(texts, tokenizer))


def _byte_pairs(texts: pa.LargeStringArray, training: Training) -> tuple[pa.Table, Merges]:
    tokenizer = Tokenizer(BPE(unk_token=UNKNOWN_TOKEN))
    prepare(tokenizer, "bpe", lowercase=training.lowercase)
    pairs = BpeTrainer(
        vocab_size=(training.size or DEFAULT_SIZE_OF_BPE) - len(OWN_TOKENS),
        min_frequency=training.min_count,
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_documents(texts), pairs)
    merges = [(first, second) for first, second in json.loads(tokenizer.to_str())["model"]["merges"]]
    return _by_count(*_occurrences(texts, tokenizer)), merges


def _documents(texts: pa.LargeStringArray) -> Iterable[list[str]]:
    return (block.to_pylist() for block in blocks(Pieces.of(texts).texts))


def _occurrences(texts: pa.LargeStringArray, tokenizer: Tokenizer) -> tuple[list[str], pa.Array]:
    """Returns all tokens of a tokenizer, and how often each comes in these texts."""
    ids = tokenizer.get_vocab()
    counts = np.zeros(len(ids), dtype=np.int64)
    for documents in _documents(texts):
        encodings = tokenizer.encode_batch_fast(documents)
        found = chain.from_iterable(encoding.ids for encoding in encodings)
        counts += np.bincount(np.fromiter(found, dtype=np.int64), minlength=len(ids))
    return list(ids), pa.array(counts[list(ids.values())])


def _by_count(tokens: list[str] | pa.Array, counts: pa.Array) -> pa.Table:
    """Returns the columns token and count, equal tokens as one: by falling count, ties by the token's characters."""
    table = pa.table({"token": pa.array(tokens, type=pa.large_string()), "count": counts})
    whole = table.group_by("token").aggregate([("count", "sum")]).rename_columns(["token", "count"])
    return whole.sort_by([("count", "descending"), ("token", "ascending")])
