"""How the sequences of a window are laid, and which of them go on into the next one."""

from collections.abc import Collection
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
import pyarrow as pa

from drystone.core.batch import Batch
from drystone.core.collate import collate
from drystone.core.errors import LayoutError
from drystone.core.grid import Ints
from drystone.core.layouts.base import NO_INTS, Layout
from drystone.core.plan import Plan
from drystone.core.streams.window import Numbered, Window

WINDOW_SHIFT = 32  # window w of epoch e has the random orders of epoch e + w × 2³²


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Laid:
    """Batches of some sequences of a window: those of a plan that are delivered, in order."""

    held: Numbered
    plan: Plan
    batches: Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class WindowPlan:
    """What becomes of the sequences of a window.

    Args:
        laid: the batches to deliver.
        left: the sequences that go on into the next window.
        dropped: what is left out for good: sequence (its number in the source), offset, length, reason.
    """

    laid: tuple[Laid, ...]
    left: Numbered
    dropped: pa.Table

    @cached_property
    def batches(self) -> tuple[tuple[Laid, int], ...]:
        """The batches to deliver, in order: each a number in its plan."""
        return tuple((laid, number) for laid in self.laid for number in laid.batches.tolist())

    def batch(self, number: int, names: Collection[str] | None) -> Batch:
        """Returns one of `batches`, filled; its sequences go by their numbers in the source."""
        laid, index = self.batches[number]
        return laid.held.renumber(collate(laid.held.seqs, laid.plan, index, fields=names))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How the windows of an epoch are laid.

    Args:
        layout: the user's.
        seed, epoch: of the random orders.
        buffer: sequences to gather before batches are laid.
        longest_wait: sequences read after one before it is delivered in an incomplete batch; None for no limit.
    """

    layout: Layout
    seed: int
    epoch: int
    buffer: int
    longest_wait: int | None

    def lay(self, window: Window) -> WindowPlan:
        """Lays a window: complete batches, and where sequences waited too long, those that hold them."""
        if window.place.is_end:
            plan = self._plan(self.layout, window, window.held)
            dropped = plan.dropped.set_column(0, "sequence", pa.array(window.held.numbers[_dropped(plan)]))
            return WindowPlan(laid=(_all_of(plan, window.held),), left=window.held.select(NO_INTS), dropped=dropped)
        plan = self._plan(with_remainder(self.layout, "drop"), window, window.held)
        left = window.held.select(np.unique(_dropped(plan)))
        laid = _all_of(plan, window.held)
        nothing = plan.dropped.slice(0, 0)
        overdue = self._overdue(window, left)
        if not len(overdue):
            return WindowPlan(laid=(laid,), left=left, dropped=nothing)
        flushed, left = self._flush(window, left, overdue)
        return WindowPlan(laid=(laid, flushed), left=left, dropped=nothing)

    def _overdue(self, window: Window, left: Numbered) -> Ints:
        """Which of the sequences that are left must go now."""
        if len(left) >= self.buffer:
            return np.zeros(1, np.int64)
        if self.longest_wait is None:
            return NO_INTS
        return np.flatnonzero(window.place.sequences - 1 - left.numbers >= self.longest_wait)

    def _flush(self, window: Window, left: Numbered, overdue: Ints) -> tuple[Laid, Numbered]:
        plan = self._plan(with_remainder(self.layout, "keep"), window, left)
        batch, sequence = plan.column("batch"), plan.column("sequence")
        due = np.unique(batch[np.isin(sequence, overdue)])
        stays = np.ones(len(left), dtype=bool)
        stays[sequence[np.isin(batch, due)]] = False
        return Laid(held=left, plan=plan, batches=due), left.select(np.flatnonzero(stays))

    def _plan(self, layout: Layout, window: Window, held: Numbered) -> Plan:
        own = (self.epoch + (window.index << WINDOW_SHIFT)) % (1 << 64)
        return layout.plan(held.seqs.lengths, self.seed, own)


def with_remainder(layout: Layout, remainder: str) -> Layout:
    """Returns the layout with another rule for the last, incomplete batch.

    Raises:
        LayoutError: the layout has no such rule.
    """
    if not is_dataclass(layout) or "remainder" not in {field.name for field in fields(layout)}:
        raise LayoutError(
            f"{type(layout).__name__} has no remainder=, so it cannot tell complete batches from the last one; "
            f"a Stream needs a layout that does, such as Padded or Bucketed."
        )
    return cast("Layout", replace(cast("Any", layout), remainder=remainder))


def _all_of(plan: Plan, held: Numbered) -> Laid:
    return Laid(held=held, plan=plan, batches=np.arange(plan.num_batches))


def _dropped(plan: Plan) -> Ints:
    return np.asarray(plan.dropped["sequence"])
