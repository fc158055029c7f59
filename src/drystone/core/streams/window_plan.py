"""How the sequences of a window are laid, and what of them goes on into the next one."""

from collections.abc import Collection
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
import pyarrow as pa

from drystone.core.batch import Batch
from drystone.core.collate import fill, known_fields
from drystone.core.errors import LayoutError
from drystone.core.grid import Grid, Ints
from drystone.core.layouts.base import Layout
from drystone.core.plan import Plan
from drystone.core.streams.rest import rest_of
from drystone.core.streams.window import Held, Window

WINDOW_SHIFT = 32  # window w of epoch e has the random orders of epoch e + w × 2³²


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Laid:
    """Batches of a plan of some sequences: those that are delivered, in order."""

    held: Held
    plan: Plan
    batches: Ints

    @property
    def rest(self) -> Held:
        """The steps that the other batches hold, and those that the plan dropped."""
        return rest_of(self.held, self.plan, self.batches)


@dataclass(frozen=True, kw_only=True, eq=False)
class WindowPlan:
    """What becomes of the sequences of a window.

    Args:
        laid: the batches to deliver.
        left: what goes on into the next window.
        dropped: what is left out for good: sequence (its number in the source), offset, length, reason.
    """

    laid: tuple[Laid, ...]
    left: Held
    dropped: pa.Table

    @cached_property
    def batches(self) -> tuple[tuple[Laid, int], ...]:
        """The batches to deliver, in order: each a number in its plan."""
        return tuple((laid, number) for laid in self.laid for number in laid.batches.tolist())

    def batch(self, number: int, names: Collection[str] | None) -> Batch:
        """Returns one of `batches`, filled; its sequences go by their numbers in the source."""
        laid, index = self.batches[number]
        held, spans = laid.held, laid.plan.spans(index)
        grid = Grid.from_spans(*laid.plan.shape(index), held.names(spans))
        fields = known_fields(held.seqs, names)
        return fill(held.seqs, grid, spans.sequence, spans.offset, fields, epoch=laid.plan.epoch)


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
        layout = self.layout if window.place.is_end else with_remainder(self.layout, "drop")
        laid = _all_of(window.held, self._plan(layout, window, window.held))
        left = laid.rest
        dropped = laid.plan.dropped
        if window.place.is_end:
            at = np.asarray(dropped["sequence"])
            named = {"sequence": window.held.numbers[at], "offset": window.held.offsets[at] + dropped["offset"]}
            for name, column in named.items():
                dropped = dropped.set_column(dropped.column_names.index(name), name, pa.array(column))
            return WindowPlan(laid=(laid,), left=left, dropped=dropped)
        overdue = self._overdue(window, left)
        parts = (laid, self._flush(window, left, overdue)) if len(overdue) else (laid,)
        return WindowPlan(laid=parts, left=parts[-1].rest, dropped=dropped.slice(0, 0))

    def _overdue(self, window: Window, left: Held) -> Ints:
        """Which of the sequences that are left must go on now."""
        if len(left) >= self.buffer:
            return np.zeros(1, np.int64)
        if self.longest_wait is None:
            return np.zeros(0, np.int64)
        waited = window.place.sequences - 1 - left.numbers
        waited[: len(left.rows)] = 0
        return np.flatnonzero(waited >= self.longest_wait)

    def _flush(self, window: Window, left: Held, overdue: Ints) -> Laid:
        """Delivers the batches in which overdue sequences begin, and where a state is carried, all before them."""
        plan = self._plan(with_remainder(self.layout, "keep"), window, left)
        is_begin = np.isin(plan.column("sequence"), overdue) & (plan.column("offset") == 0)
        due = np.unique(plan.column("batch")[is_begin])
        batches: Ints = np.arange(int(due[-1]) + 1) if self.layout.carries else due
        return Laid(held=left, plan=plan, batches=batches)

    def _plan(self, layout: Layout, window: Window, held: Held) -> Plan:
        orders = (self.epoch + (window.index << WINDOW_SHIFT)) % (1 << 64)
        plan = layout.plan(held.seqs.lengths, self.seed, orders, carried=held.rows)
        plan = replace(plan, epoch=self.epoch)
        return _with_rows(plan, cast("Any", layout).rows) if layout.carries else plan


def with_remainder(layout: Layout, remainder: str) -> Layout:
    """Returns the layout with another rule for the last, incomplete batch.

    Raises:
        LayoutError: the layout has no such rule, or has to see all sequences at once.
    """
    if not is_dataclass(layout) or "remainder" not in {field.name for field in fields(layout)}:
        raise LayoutError(
            f"{type(layout).__name__} has no remainder=, so it cannot tell complete batches from the last one; "
            f"a Stream needs a layout that does, such as Padded, Bucketed, Packed or Stateful."
        )
    if layout.time_field is not None:
        raise LayoutError(f"{layout} has to see all times at once, and a Stream holds only a few sequences at a time.")
    return cast("Layout", replace(cast("Any", layout), remainder=remainder))


def _with_rows(plan: Plan, num_rows: int) -> Plan:
    """Gives all batches all rows: a state of as many rows is carried from window to window."""
    batches = plan.batches
    columns = {"rows": np.full(plan.num_batches, num_rows), "cells": num_rows * plan.column("steps")}
    for name, column in columns.items():
        batches = batches.set_column(batches.column_names.index(name), name, pa.array(column))
    return replace(plan, batches=batches)


def _all_of(held: Held, plan: Plan) -> Laid:
    return Laid(held=held, plan=plan, batches=np.arange(plan.num_batches))
