"""Documents to token ids."""

from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from tokenizers import Tokenizer

from drystone.core.lengths import offsets_of, ranges
from drystone.text.kinds import UNKNOWN
from drystone.text.pieces import Pieces
from drystone.text.texts import blocks, code_points

Ints = npt.NDArray[np.int64]
Ids = npt.NDArray[np.int32]

NUM_CODE_POINTS = 0x110000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoded:
    """Documents as token ids, end to end.

    Args:
        ids: [tokens] of all documents.
        lengths: [documents] how many tokens each has.
        starts: [tokens] the character of its document (from 0) in which a token starts; several tokens where a
            character is cut into bytes.
        stops: [tokens] the character after its last one.

    Example:
        >>> from drystone.text import Vocabulary
        >>> words = Vocabulary.train(["a dog and a cat"], kind="words")
        >>> encoded = words.encode_documents(["a cat, a dog", "  "])
        >>> encoded.ids, encoded.lengths, encoded.starts
        (array([2, 4, 1, 2, 5], dtype=int32), array([5, 0]), array([0, 2, 5, 7, 9]))
        >>> encoded.stops
        array([ 1,  5,  6,  8, 12])
        >>> encoded.empty
        array([1])
    """

    ids: Ids
    lengths: Ints
    starts: Ints
    stops: Ints

    @property
    def empty(self) -> Ints:
        """The documents that have no token, such as those of spaces only where tokens are words."""
        return np.flatnonzero(self.lengths == 0)

    @property
    def all_unknown(self) -> Ints:
        """The documents that have tokens, none of them known."""
        return all_unknown(self.ids, self.lengths)


def all_unknown(ids: npt.NDArray[np.integer], lengths: Ints) -> Ints:
    """Returns the sequences that have tokens, none of them known.

    Args:
        ids: [tokens] of all sequences, end to end.
        lengths: [sequences] how many tokens each has.

    Example:
        >>> all_unknown(np.array([1, 1, 2, 1]), np.array([2, 2, 0]))
        array([0])
    """
    known = offsets_of(ids != UNKNOWN)[offsets_of(lengths)]
    return np.flatnonzero((lengths > 0) & (np.diff(known) == 0))


def encode_by_tokenizer(texts: pa.LargeStringArray, tokenizer: Tokenizer) -> Encoded:
    """Encodes documents of any kind, a block at a time."""
    pieces = Pieces.of(texts)
    found = _end_to_end([_block(block, tokenizer) for block in blocks(pieces.texts)])
    first = np.searchsorted(pieces.document, np.arange(len(texts) + 1))
    before = np.repeat(pieces.start, found.lengths)
    return Encoded(
        ids=found.ids,
        lengths=np.diff(offsets_of(found.lengths)[first]),
        starts=found.starts + before,
        stops=found.stops + before,
    )


def encode_characters(texts: pa.LargeStringArray, tokenizer: Tokenizer) -> Encoded:
    """Encodes documents of characters by a table of all characters, which gives the tokenizer's ids sooner."""
    lengths = np.asarray(pc.utf8_length(texts), dtype=np.int64)
    pieces = [code_points(block) for block in blocks(texts)]
    table = _table(pieces, tokenizer)
    ids = np.concatenate([np.zeros(0, dtype=np.int32), *(table[piece] for piece in pieces)])
    starts = ranges(np.zeros_like(lengths), lengths)
    return Encoded(ids=ids, lengths=lengths, starts=starts, stops=starts + 1)


def _table(pieces: list[npt.NDArray[np.uint32]], tokenizer: Tokenizer) -> Ids:
    there = np.zeros(NUM_CODE_POINTS, dtype=bool)
    for piece in pieces:
        there[piece] = True
    table = np.zeros(NUM_CODE_POINTS, dtype=np.int32)
    found = np.flatnonzero(there)
    encodings = tokenizer.encode_batch([chr(number) for number in found])
    table[found] = [encoding.ids[0] for encoding in encodings]
    return table


def _block(texts: pa.LargeStringArray, tokenizer: Tokenizer) -> Encoded:
    encodings = tokenizer.encode_batch(texts.to_pylist(), add_special_tokens=False)
    lengths = np.fromiter(map(len, encodings), dtype=np.int64, count=len(encodings))
    total = int(lengths.sum())
    ids = np.fromiter(chain.from_iterable(encoding.ids for encoding in encodings), dtype=np.int32, count=total)
    spans = chain.from_iterable(encoding.offsets for encoding in encodings)
    starts, stops = np.fromiter(chain.from_iterable(spans), dtype=np.int64, count=2 * total).reshape(-1, 2).T.copy()
    return Encoded(ids=ids, lengths=lengths, starts=starts, stops=stops)


def _end_to_end(parts: list[Encoded]) -> Encoded:
    none = np.zeros(0, dtype=np.int64)
    return Encoded(
        ids=np.concatenate([none.astype(np.int32), *(part.ids for part in parts)]),
        lengths=np.concatenate([none, *(part.lengths for part in parts)]),
        starts=np.concatenate([none, *(part.starts for part in parts)]),
        stops=np.concatenate([none, *(part.stops for part in parts)]),
    )
