"""Padded: one sequence a row, each batch as long as its longest."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from drystone.core import shuffle as streams
from drystone.core.layouts.base import (
    Layout,
    Placement,
    Remainder,
    Shuffle,
    check_choice,
    check_positive,
    freeze,
    longest_of_each,
)
from drystone.core.lengths import Lengths

PaddedOrder = Literal["random", "given", "sorted"]


@dataclass(frozen=True, slots=True)
class Padded(Layout):
    """One sequence a row, padded to the longest of its batch: the plain baseline.

    Args:
        batch_size: sequences a batch, ≥ 1.
        order: "random", "given" (as they come), or "sorted" (shortest first).
        remainder: whether the last, smaller batch is kept or dropped.

    Example:
        >>> Padded(batch_size=2, order="given").plan([3, 1, 2]).num_batches
        2
    """

    batch_size: int
    order: PaddedOrder = "random"
    remainder: Remainder = "keep"

    def __post_init__(self) -> None:
        check_positive("Padded", batch_size=self.batch_size)
        check_choice("Padded", "order", self.order, get_args(PaddedOrder))
        check_choice("Padded", "remainder", self.remainder, get_args(Remainder))
        freeze(self, "batch_size")

    @property
    def longest(self) -> int | None:
        """No limit: a batch is as long as its longest sequence."""
        return None

    def place(self, lengths: Lengths, shuffle: Shuffle) -> Placement:
        """Cuts the order into batches."""
        order = self._ordered(lengths, shuffle)
        kept = len(order) - len(order) % self.batch_size if self.remainder == "drop" else len(order)
        sequence, dropped = order[:kept], order[kept:]
        at = np.arange(kept)
        starts = at[:: self.batch_size]
        return Placement(
            batch=at // self.batch_size,
            row=at % self.batch_size,
            step=np.zeros_like(at),
            sequence=sequence,
            rows=np.diff(np.append(starts, kept)),
            steps=longest_of_each(lengths[sequence], starts),
            dropped=dropped,
        )

    def _ordered(self, lengths: Lengths, shuffle: Shuffle) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        if self.order == "random":
            return shuffle(len(lengths), streams.SEQUENCES)
        if self.order == "sorted":
            return np.argsort(lengths, kind="stable")
        return np.arange(len(lengths))
