"""Long documents in pieces, so that one of 100 MB needs little memory and all cores.

A piece ends before a space or a line break that follows something else. No word and no byte pair reaches over such a
place, so the tokens of the pieces, end to end, are those of the document.
"""

import re
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drystone.text.texts import bounds_of

PIECE_CHARACTERS = 1 << 16
BORDER = re.compile(r"(?<=\S)(?=[ \n])")

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """Documents, the long ones in pieces.

    Args:
        texts: the pieces, in order.
        document: [pieces] which document each is of.
        start: [pieces] the character of its document in which each starts.
    """

    texts: pa.LargeStringArray
    document: Ints
    start: Ints

    @classmethod
    def of(cls, texts: pa.LargeStringArray) -> Self:
        """Cuts documents of more than `PIECE_CHARACTERS` where their words allow it."""
        arrays: list[pa.Array] = []
        num_pieces, start = np.ones(len(texts), dtype=np.int64), np.zeros(len(texts), dtype=np.int64)
        done, starts = 0, []
        for number in np.flatnonzero(np.diff(bounds_of(texts)) > PIECE_CHARACTERS).tolist():
            text = texts[number].as_py()
            cuts = _cuts(text)
            pieces = [text[first:stop] for first, stop in zip(cuts, [*cuts[1:], None], strict=True)]
            arrays += [texts.slice(done, number - done), pa.array(pieces, type=pa.large_string())]
            starts += [start[done:number], np.array(cuts)]
            num_pieces[number] = len(cuts)
            done = number + 1
        return cls(
            texts=pa.concat_arrays([*arrays, texts.slice(done)]) if arrays else texts,
            document=np.repeat(np.arange(len(texts)), num_pieces),
            start=np.concatenate([*starts, start[done:]]),
        )


def _cuts(text: str) -> list[int]:
    cuts = [0]
    while found := BORDER.search(text, cuts[-1] + PIECE_CHARACTERS):
        cuts.append(found.start())
    return cuts
