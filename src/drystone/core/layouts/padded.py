"""Padded: one sequence a row, each batch as long as its longest."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from drystone.core import shuffle as streams
from drystone.core.layouts.arguments import Remainder, check_choice, check_positive, freeze
from drystone.core.layouts.base import Layout
from drystone.core.layouts.epoch import Epoch
from drystone.core.layouts.placement import Ints, Placement

PaddedOrder = Literal["random", "given", "sorted"]


@dataclass(frozen=True, slots=True, repr=False)
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

    def place(self, epoch: Epoch) -> Placement:
        """Cuts the order into batches."""
        sequence = self._ordered(epoch)
        whole, rest = divmod(len(sequence), self.batch_size)
        rows = np.append(np.full(whole, self.batch_size), [rest] if rest else []).astype(np.int64)
        placed = Placement.one_a_row(sequence, epoch.lengths[sequence], rows)
        return placed.up_to(whole) if self.remainder == "drop" else placed

    def _ordered(self, epoch: Epoch) -> Ints:
        if self.order == "sorted":
            return np.argsort(epoch.lengths, kind="stable")
        return epoch.order(self.order, streams.SEQUENCES)
