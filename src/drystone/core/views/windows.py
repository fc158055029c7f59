"""Windows: runs of equal length, every so many steps of each sequence."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from drystone.core.bounds import Bounds
from drystone.core.lengths import ranges
from drystone.core.views.arguments import whole
from drystone.core.views.note import ViewNote
from drystone.core.views.pieces import Ints, Pieces, counted_from, pieces_of
from drystone.core.words import so_many

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Which windows are wanted: so many steps, every `stride` steps, with `horizon` steps after the last."""

    steps: int
    stride: int
    horizon: int

    def cover(self, seqs: "Sequences") -> "Sequences":
        """Returns the windows; the first of a sequence is the earliest in which a step can count.

        Fields that look ahead play no part in that, so that `ahead` may come before or after.
        """
        every = np.arange(len(seqs))
        bounds = seqs.bounds_of(every)
        first, count = self._places(seqs, bounds)
        of = np.repeat(every, count)
        starts = np.repeat(first, count) + self.stride * ranges(np.zeros_like(count), count)
        inner = bounds.take(of)
        if self.horizon:
            inner = replace(inner, lead=np.full_like(starts, self.steps - 1), floor=starts)
        else:
            inner = replace(inner, lead=np.clip(seqs.starts[of] + inner.lead - starts, 0, self.steps))
        pieces = Pieces(of=of, starts=starts, lengths=np.full_like(starts, self.steps), bounds=inner)
        return pieces_of(seqs, pieces, self._note(seqs, counted_from(seqs, bounds), first, count))

    def _places(self, seqs: "Sequences", bounds: Bounds) -> tuple[Ints, Ints]:
        """Returns where the first window of each sequence starts, and how many there are."""
        # A last step just before the floor has its first target at the floor.
        earliest = np.maximum(seqs.starts + bounds.lead, bounds.floor - (1 if self.horizon else 0))
        first = np.maximum(seqs.starts, earliest - self.steps + 1)
        scored = bounds.ceiling - (self.steps + self.horizon if self.horizon else 1)
        last = np.minimum(seqs.starts + seqs.lengths - self.steps, scored)
        return first, ((last - first) // self.stride + 1).clip(0)

    def _note(self, seqs: "Sequences", begin: Ints, first: Ints, count: Ints) -> ViewNote:
        context = np.where(count > 0, (begin - first).clip(0), 0)
        reached = _covered(count, self.steps, self.stride) - context
        none = int((count == 0).sum())
        after = f" with the {self.horizon:,} steps after it" if self.horizon else ""
        return ViewNote(
            view=f"windows(steps={self.steps}, stride={self.stride}, horizon={self.horizon})",
            left_out_steps=int((seqs.starts + seqs.lengths - begin - reached).sum()),
            left_out_sequences=none,
            repeated_steps=int(_covered(count - 1, self.steps - self.stride, self.stride).sum()),
            reason=f"{so_many(none, 'sequence')} without a whole window{after}" if none else "",
        )


def windows(seqs: "Sequences", steps: int, stride: int | None, horizon: int) -> "Sequences":
    """Returns windows of each sequence; with a horizon, only their last step is scored."""
    steps = whole("windows", "steps", steps, 1)
    stride = steps if stride is None else whole("windows", "stride", stride, 1)
    return Windows(steps=steps, stride=stride, horizon=whole("windows", "horizon", horizon, 0)).cover(seqs)


def _covered(count: Ints, steps: int, stride: int) -> Ints:
    """Returns how many steps `count` runs of `steps` steps, one every `stride`, cover together."""
    if steps <= 0:
        return np.zeros_like(count)
    return np.where(count > 0, (count - 1) * min(steps, stride) + steps, 0)
