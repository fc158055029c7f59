"""The layouts that `drystone plan` compares, and what each makes of the data."""

from dataclasses import dataclass, fields
from typing import Annotated, Any

import numpy as np
import typer

from drystone.core.defaults import BATCH_SIZE, CARRIED_STEPS, NUM_BUCKETS
from drystone.core.errors import LayoutError
from drystone.core.layouts import Bucketed, Layout, Packed, Padded, Stateful
from drystone.core.lengths import Lengths
from drystone.core.plan import Plan
from drystone.core.sequences import Sequences
from drystone.core.summary import Summary

PANEL = "Layouts"
MULTIPLE = 8  # of steps that nobody chose
SEQUENCES_A_ROW = 4  # of usual length, where rows are packed: enough for short ones to fill up what long ones leave


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What the user chose; None where nothing was."""

    batch_size: Annotated[int | None, typer.Option(help="Sequences a batch (default 32).", rich_help_panel=PANEL)] = (
        None
    )
    cells: Annotated[
        int | None,
        typer.Option(help="Bucketed: the most cells a batch, instead of --batch-size.", rich_help_panel=PANEL),
    ] = None
    num_buckets: Annotated[
        int | None, typer.Option(help="Bucketed: how many buckets (default 8).", rich_help_panel=PANEL)
    ] = None
    rows: Annotated[
        int | None,
        typer.Option(help="Packed and Stateful: rows a batch (by default as suits the data).", rich_help_panel=PANEL),
    ] = None
    steps: Annotated[
        int | None,
        typer.Option(help="Packed and Stateful: steps a row (by default as suits the data).", rich_help_panel=PANEL),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One layout on the data.

    Args:
        layout: which.
        summary: the figures of its first epoch; None where the layout cannot hold the data.
        num_bytes: of the fields of the batch that needs the most.
        problem: why it cannot hold the data, or "".
    """

    layout: Layout
    summary: Summary | None = None
    num_bytes: int = 0
    problem: str = ""

    @property
    def name(self) -> str:
        return repr(self.layout)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, for JSON."""
        found: dict[str, Any] = {
            "layout": type(self.layout).__name__,
            "arguments": self.layout.arguments,
        }
        if self.summary is None:
            return found | {"problem": self.problem}
        return found | self.summary.to_dict() | {"largest_batch_bytes": self.num_bytes}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layouts:
    """One of each kind."""

    padded: Padded
    bucketed: Bucketed
    packed: Packed
    grid: Packed
    stateful: Stateful

    @classmethod
    def of(cls, lengths: Lengths, sizes: Sizes) -> "Layouts":
        """Chooses what the user left open so that batches hold about as many steps in every layout.

        Raises:
            LayoutError: a size that is no whole number ≥ 1.
        """
        batch_size = BATCH_SIZE if sizes.batch_size is None else sizes.batch_size
        buckets = NUM_BUCKETS if sizes.num_buckets is None else sizes.num_buckets
        padded = Padded(batch_size)
        longest, total = int(lengths.max()), int(lengths.sum())
        usual_rows = max(1, batch_size // SEQUENCES_A_ROW)
        wide = max(longest, min(SEQUENCES_A_ROW * total // len(lengths), total))
        usual_steps = -(-wide // MULTIPLE) * MULTIPLE
        return cls(
            padded=padded,
            bucketed=Bucketed(
                num_buckets=buckets, batch_size=batch_size if sizes.cells is None else None, cells=sizes.cells
            ),
            packed=Packed(sequences=batch_size),
            grid=Packed(
                rows=usual_rows if sizes.rows is None else sizes.rows,
                steps=usual_steps if sizes.steps is None else sizes.steps,
            ),
            stateful=Stateful(
                rows=min(batch_size, len(lengths)) if sizes.rows is None else sizes.rows,
                steps=min(CARRIED_STEPS, longest) if sizes.steps is None else sizes.steps,
            ),
        )

    def by_kind(self) -> dict[str, Layout]:
        """Returns the layouts by the names of the attributes."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def plan_or_problem(layout: Layout, lengths: Lengths, seed: int) -> Plan | str:
    """Returns the plan of the first epoch, or why the layout cannot hold the lengths."""
    try:
        return layout.plan(lengths, seed)
    except LayoutError as error:
        return str(error)


def compared(layout: Layout, plan: Plan | str, seqs: Sequences) -> Compared:
    """Returns what the layout makes of the sequences."""
    if isinstance(plan, str):
        return Compared(layout=layout, problem=plan)
    return Compared(layout=layout, summary=plan.summary(), num_bytes=_largest_batch(plan, seqs))


def _largest_batch(plan: Plan, seqs: Sequences) -> int:
    a_cell = sum(column.empty((1,)).nbytes for column in seqs.step_columns.values())
    a_span = sum(column.empty((1,)).nbytes for column in seqs.sequence_columns.values())
    spans = np.bincount(plan.column("batch"), minlength=plan.num_batches)
    return int((plan.column("cells") * a_cell + spans * a_span).max(initial=0))
