"""Where an audit lays sequences on a grid, and what it puts into the cells around them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Self

import numpy as np

from drystone.core.grid import Bools, Grid, Spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """Whole sequences on a grid, each in one run of cells; the parts are in row-major order, without overlap.

    Args:
        words: what it is, for reports: "with 3 columns more of padding".
        sequences: their numbers.
        lengths: how many steps each has.
        rows, starts: the row and the first column of each.
        num_rows, num_steps: the shape of the grid.
        junk_in_padding: whether padded cells hold arbitrary values; 0 else.
        junk_in: sequences whose own steps hold arbitrary values.
    """

    words: str
    sequences: tuple[int, ...]
    lengths: tuple[int, ...]
    rows: tuple[int, ...]
    starts: tuple[int, ...]
    num_rows: int
    num_steps: int
    junk_in_padding: bool = False
    junk_in: frozenset[int] = field(default_factory=frozenset)

    @classmethod
    def one_a_row(
        cls, words: str, sequences: Sequence[int], lengths: Sequence[int], *, extra: int = 0, right: bool = False
    ) -> Self:
        """Lays sequence after sequence on a row of its own, with padding after it, or before it where `right`."""
        parts = tuple(lengths[number] for number in sequences)
        num_steps = max(parts) + extra
        return cls(
            words=words,
            sequences=tuple(sequences),
            lengths=parts,
            rows=tuple(range(len(parts))),
            starts=tuple(num_steps - length if right else 0 for length in parts),
            num_rows=len(parts),
            num_steps=num_steps,
        )

    @classmethod
    def end_to_end(
        cls, words: str, sequences: Sequence[int], lengths: Sequence[int], *, gap: int = 0, extra: int = 0
    ) -> Self:
        """Lays all sequences on one row, with `gap` invalid cells before each and `extra` after the last."""
        parts = tuple(lengths[number] for number in sequences)
        starts = [gap]
        for length in parts:
            starts.append(starts[-1] + length + gap)
        return cls(
            words=words,
            sequences=tuple(sequences),
            lengths=parts,
            rows=(0,) * len(parts),
            starts=tuple(starts[:-1]),
            num_rows=1,
            num_steps=starts[-1] - gap + extra,
        )

    def only(self, sequences: Collection[int], words: str) -> Self:
        """Leaves out the other sequences: their rows where they have one each, else what becomes padding."""
        kept = [place for place, number in enumerate(self.sequences) if number in sequences]
        rows = sorted({self.rows[place] for place in kept})
        return replace(
            self,
            words=words,
            sequences=tuple(self.sequences[place] for place in kept),
            lengths=tuple(self.lengths[place] for place in kept),
            rows=tuple(rows.index(self.rows[place]) for place in kept),
            starts=tuple(self.starts[place] for place in kept),
            num_rows=len(rows),
        )

    def grid(self) -> Grid:
        """Returns the grid, whose spans are the sequences."""
        rows, starts, lengths, sequences = (
            np.array(part, dtype=np.int64) for part in (self.rows, self.starts, self.lengths, self.sequences)
        )
        whole = np.ones(len(rows), dtype=bool)
        spans = Spans(
            row=rows,
            start=starts,
            stop=starts + lengths,
            sequence=sequences,
            offset=np.zeros_like(rows),
            is_first=whole,
            is_last=whole,
        )
        return Grid.from_spans(self.num_rows, self.num_steps, spans)

    def junk(self) -> Bools:
        """Returns bool [rows, steps]: the cells that hold arbitrary values."""
        sequence = self.grid().sequence
        return np.isin(sequence, sorted(self.junk_in)) | (self.junk_in_padding & (sequence < 0))


def halves(num_sequences: int) -> Iterable[frozenset[int]]:
    """Yields sets of sequences such that for any two, one set holds the first and not the second.

    Example:
        >>> [sorted(half) for half in halves(3)]
        [[1], [0, 2], [2], [0, 1]]
    """
    for bit in range((num_sequences - 1).bit_length()):
        ones = frozenset(number for number in range(num_sequences) if number >> bit & 1)
        yield ones
        yield frozenset(range(num_sequences)) - ones


Takes = Literal["lengths", "mask", "batch"]


def ways(takes: Takes, lengths: Sequence[int], *, order: Sequence[int], extra: int) -> list[Arrangement]:
    """Returns the arrangements that a model must serve alike, by what it is told of them.

    Args:
        takes: "lengths": one sequence a row, from column 0; "mask": padding before it as well; "batch": a grid, so
            that sequences may also lie end to end on one row.
        lengths: [sequences] their steps.
        order: the sequences, in the order in which they are laid.
        extra: columns of padding beyond what is needed; end to end, invalid cells before each sequence too.
    """
    found = [Arrangement.one_a_row("with one sequence a row and padding after it", order, lengths, extra=extra)]
    if takes != "lengths":
        words = "with one sequence a row and padding before it"
        found.append(Arrangement.one_a_row(words, order, lengths, extra=extra, right=True))
    if takes == "batch":
        words = "with all sequences end to end on one row"
        found.append(Arrangement.end_to_end(words, order, lengths, gap=extra, extra=extra))
    return found
