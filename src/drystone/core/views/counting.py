"""What of sequences counts: where they come from, and which of their steps are scored."""

from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from drystone.core.bounds import Bounds

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences

Ints = npt.NDArray[np.int64]


class Counting:
    """Which steps of the sequences are scored, and of which sequences they were made."""

    @property
    def source(self) -> Ints:
        """[sequences]: the number of the sequence that each was made from, before any view or selection.

        Sequences that `join` made are their own source.
        """
        return self._seqs.rows if self._seqs.sources is None else self._seqs.sources

    def bounds_of(self, chosen: Ints) -> Bounds:
        """Returns what counts in these sequences, as positions among all values."""
        seqs = self._seqs
        if seqs.bounds is None:
            return Bounds.whole(seqs.starts[chosen], seqs.lengths[chosen])
        return seqs.bounds.take(chosen)

    def scored_steps(self, chosen: Ints | None = None) -> tuple[Ints, Ints]:
        """Returns the first step of each sequence that is scored, and the one after the last.

        Args:
            chosen: which sequences; all by default.

        Example:
            >>> from drystone import Sequences
            >>> seqs = Sequences.from_arrays(per_step={"x": [[1, 2, 3, 4, 5]]}).ahead("x", [1, 2])
            >>> seqs.scored_steps()
            (array([0]), array([3]))
        """
        seqs = self._seqs
        every = np.arange(len(seqs)) if chosen is None else chosen
        return self.bounds_of(every).scored(seqs.starts[every], seqs.lengths[every], self.reach)

    @property
    def scores_every_step(self) -> bool:
        """Whether every step of every sequence is scored."""
        if self.is_plain:
            return True
        first, stop = self.scored_steps()
        return not first.any() and bool((stop == self._seqs.lengths).all())

    @property
    def is_plain(self) -> bool:
        """Whether no view says what counts, so that every step is scored."""
        return self._seqs.bounds is None and not self._seqs.ahead_fields

    @property
    def reach(self) -> tuple[int, int]:
        """How many steps ahead of a step its first and its last target lie; (0, 0) without fields made by `ahead`."""
        offsets = [offset for ahead in self._seqs.ahead_fields.values() for offset in ahead.offsets] or [0]
        return min(offsets), max(offsets)

    @property
    def _seqs(self) -> "Sequences":
        return cast("Sequences", self)
