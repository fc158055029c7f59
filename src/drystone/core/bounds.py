"""Which steps of sequences count, and how far their targets may reach."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from drystone.core.lengths import Lengths

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bounds:
    """What counts in each sequence; each attribute is [sequences].

    A step is scored where it is past the lead and its targets lie in floor … ceiling − 1. The target of a step is
    the step itself, or those that fields made by `ahead` look at. Positions are counted among all values.

    Args:
        lead: steps at the start that run and are not scored.
        floor: the first position where a target may lie.
        ceiling: the position before which targets lie.
    """

    lead: Ints
    floor: Ints
    ceiling: Ints

    @classmethod
    def whole(cls, starts: Ints, lengths: Lengths) -> Self:
        """Returns bounds within which every step counts."""
        return cls(lead=np.zeros_like(starts), floor=starts, ceiling=starts + lengths)

    def take(self, chosen: Ints) -> Self:
        """Returns the bounds of these sequences."""
        return type(self)(lead=self.lead[chosen], floor=self.floor[chosen], ceiling=self.ceiling[chosen])

    def unless_whole(self, starts: Ints, lengths: Lengths) -> Self | None:
        """Returns the bounds, or None where they leave out no step and reach past no end."""
        is_whole = not self.lead.any() and (self.floor <= starts).all() and (self.ceiling == starts + lengths).all()
        return None if is_whole else self

    def scored(self, starts: Ints, lengths: Lengths, reach: tuple[int, int]) -> tuple[Ints, Ints]:
        """Returns the first step of each sequence that is scored, and the one after the last.

        Args:
            starts: [sequences] where the sequences start.
            lengths: [sequences] their steps.
            reach: how many steps ahead of a step its first and its last target lie.
        """
        nearest, farthest = reach
        first = np.clip(np.maximum(self.lead, self.floor - nearest - starts), 0, lengths)
        return first, np.clip(self.ceiling - farthest - starts, first, lengths)
