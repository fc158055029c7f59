"""Chunks, such as the names in a sentence, from a tag at every step; counted as the CoNLL script counts them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import ShapeError
from drystone.core.lengths import Lengths, offsets_of
from drystone.text.tags import LETTERS, OTHER, OUTSIDE, Bools, Ints, Tags


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chunks:
    """Runs of steps of one sequence that belong together; each array is [chunks], in the order of their ends.

    Args:
        sequence: which sequence.
        begin, end: its first step, and the one after its last.
        type: its type, as a number in `types`.
        types: the types by their numbers, `_` for tags that name none.
    """

    sequence: Ints
    begin: Ints
    end: Ints
    type: Ints
    types: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.sequence)

    def rows(self) -> list[tuple[int, int, int, str]]:
        """Returns (sequence, begin, end, type) of every chunk."""
        numbers = zip(self.sequence.tolist(), self.begin.tolist(), self.end.tolist(), strict=True)
        return [(*row, self.types[kind]) for row, kind in zip(numbers, self.type.tolist(), strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkCounts:
    """How many chunks were found of those that are there; counts of several parts add up.

    Args:
        correct: that were predicted as they are: the same steps and the same type.
        predicted: that were predicted.
        true: that are there.
    """

    correct: int
    predicted: int
    true: int

    @property
    def precision(self) -> float:
        """Correct ÷ predicted; 0 where nothing was predicted."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Correct ÷ true; 0 where there is nothing to find."""
        return self.correct / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall: 2 × correct ÷ (predicted + true); 0 where there are no chunks."""
        both = self.predicted + self.true
        return 2 * self.correct / both if both else 0.0


def chunks_of(tags: Sequence[str] | npt.NDArray[Any], lengths: npt.ArrayLike) -> Chunks:
    """Returns the chunks of tags, counted as the script of the CoNLL shared tasks (conlleval) counts them.

    A chunk begins at B-, and also at an I- that follows O or another type, so that tags which are no valid BIO can be
    counted, and IOB1 reads as BIO does. Hyphens after the first belong to the type. A tag that is neither O nor begins with
    B, I, E or S is part of a chunk wherever the type changes, as in the script.

    Args:
        tags: text, the tag of every step, sequence after sequence.
        lengths: [sequences], the steps of each.

    Raises:
        DataError: a tag is no text, or empty.
        ShapeError: there are more or fewer tags than steps.

    Source:
        https://www.clips.uantwerpen.be/conll2000/chunking/output.html

    Example:
        >>> chunks_of(["B-city", "I-city", "O", "I-day", "I-day", "B-day"], [4, 2]).rows()
        [(0, 0, 2, 'city'), (0, 3, 4, 'day'), (1, 0, 1, 'day'), (1, 1, 2, 'day')]
    """
    numbers = {name: number for number, name in enumerate(dict.fromkeys(tags))}
    ids = np.fromiter(map(numbers.__getitem__, tags), dtype=np.int64)
    return chunks_by_number(Tags(list(numbers)), ids, np.asarray(lengths, dtype=np.int64))


def chunks_by_number(tags: Tags, ids: npt.NDArray[Any], lengths: Lengths) -> Chunks:
    """Returns the chunks of steps that name their tags by number: see `chunks_of`.

    Args:
        tags: all that there are.
        ids: [steps] the tag of each, sequence after sequence.
        lengths: [sequences], the steps of each.

    Raises:
        ShapeError: there are more or fewer tags than steps.
    """
    if ids.shape != (int(lengths.sum()),):
        raise ShapeError(f"tags has shape {list(ids.shape)}; expected one a step, [{int(lengths.sum())}].")
    offsets = offsets_of(lengths)
    is_first = np.zeros(len(ids) + 1, dtype=bool)
    is_first[offsets] = True
    letter, kind = tags.letter[ids], tags.type[ids]

    # Before the first step of a sequence stands O, of no type at all; after its last one O.
    letters = np.where(is_first, LETTERS.index(OUTSIDE), np.append(letter, 0))
    before = np.where(is_first[:-1], LETTERS.index(OUTSIDE), np.roll(letter, 1))
    after = letters[1:]
    begins = STARTS[before, letter] | (IS_TYPED[letter] & (is_first[:-1] | (np.roll(kind, 1) != kind)))
    ends = ENDS[letter, after] | (IS_TYPED[letter] & (np.where(is_first, 0, np.append(kind, 0))[1:] != kind))

    last = np.flatnonzero(ends)
    begin = np.maximum.accumulate(np.where(begins | is_first[:-1], np.arange(len(ids)), 0))[last]
    sequence = np.searchsorted(offsets, last, side="right") - 1
    start = offsets[sequence]
    return Chunks(sequence=sequence, begin=begin - start, end=last + 1 - start, type=kind[last], types=tags.types)


def counts_of(predicted: Chunks, true: Chunks) -> ChunkCounts:
    """Returns how many chunks were found, of the same sequences.

    Example:
        >>> true, predicted = (chunks_of(tags, [4]) for tags in (["B-a", "I-a", "O", "I-a"], ["B-a", "O", "O", "I-a"]))
        >>> counts_of(predicted, true)
        ChunkCounts(correct=1, predicted=2, true=2)
    """
    most = max(1, *(int(each.end.max(initial=0)) for each in (predicted, true))) + 1
    keys = (each.sequence * most + each.end for each in (predicted, true))
    # No two chunks of a sequence end at the same step.
    _, left, right = np.intersect1d(*keys, assume_unique=True, return_indices=True)
    numbers = {kind: number for number, kind in enumerate(true.types)}
    same_types = np.array([numbers.get(kind, -1) for kind in predicted.types], dtype=np.int64)
    found = (predicted.begin[left] == true.begin[right]) & (same_types[predicted.type[left]] == true.type[right])
    return ChunkCounts(correct=int(found.sum()), predicted=len(predicted), true=len(true))


def _pairs(*rules: tuple[str, str]) -> Bools:
    """Returns [letter before, letter]: whether a rule (letters before, letters) holds, whatever the types."""
    found = np.zeros((OTHER + 1, OTHER + 1), dtype=bool)
    for before, letters in rules:
        found[np.ix_([LETTERS.index(one) for one in before], [LETTERS.index(one) for one in letters])] = True
    return found


STARTS = _pairs(("ESO", "IE"))
STARTS[:, [LETTERS.index("B"), LETTERS.index("S")]] = True
ENDS = _pairs(("BI", "BSO"))
ENDS[[LETTERS.index("E"), LETTERS.index("S")]] = True
IS_TYPED = ~np.isin(np.arange(OTHER + 1), [LETTERS.index(OUTSIDE), LETTERS.index(".")])  # a change of type tells
