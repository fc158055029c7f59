"""What a layout is given: the lengths of one epoch, and its random orders."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from drystone.core.lengths import Lengths

Ints = npt.NDArray[np.int64]


class Shuffle(Protocol):
    """The random orders of one epoch."""

    def __call__(self, count: int, purpose: int, groups: npt.NDArray[np.integer] | None = None) -> Ints:
        """Returns a random order of 0 … count − 1; with groups (numbers ≥ 0), random within each, rising over all."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Epoch:
    """What a layout lays out.

    Args:
        lengths: [sequences], each ≥ 1.
        shuffle: the random orders.
        carried: the rows on which the first sequences go on, from column 0 of the first batch.
        times: [steps of all sequences], end to end, when each step was; None where the layout needs none.
    """

    lengths: Lengths
    shuffle: Shuffle
    carried: Ints
    times: npt.NDArray[Any] | None = None

    def order(self, order: str, purpose: int) -> Ints:
        """Returns the sequences as they come, or in random order behind those that are carried."""
        if order == "given":
            return np.arange(len(self.lengths))
        first = len(self.carried)
        shuffled = self.shuffle(len(self.lengths) - first, purpose)
        return np.concatenate([np.arange(first), shuffled + first]) if first else shuffled
