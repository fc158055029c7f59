"""The figures of a plan, as a record: in words, as JSON, as a table for notebooks."""

from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from drystone.core.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What was left out for one reason.

    Args:
        reason: why.
        num_sequences: sequences of which steps were left out.
        num_steps: the steps of them that were left out.
    """

    reason: str
    num_sequences: int
    num_steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures of a plan, or of one rank's share of it.

    Args:
        num_batches, num_updates: optimiser updates may take several batches each.
        num_sequences, num_steps: what is laid out.
        num_cells: rows × steps of all batches, padding included.
        padding_fraction: the fraction of the cells that hold no real step, 0 … 1.
        shortest_batch, longest_batch: in steps; 0 where there is no batch.
        num_shapes: distinct shapes (rows, steps) of batches.
        largest_shape: rows and steps of the batch with the most cells.
        cost_balance: the largest cost of a batch ÷ the mean cost, ≥ 1.
        dropped: what was left out of the whole plan, by reason.
        rank, num_ranks: whose share this is; 0 and 1 for the whole.

    Example:
        >>> from drystone import Padded
        >>> print(Padded(batch_size=2, order="given").plan([3, 1, 2]).summary())
        batches    2 of 2 to 3 steps, the costliest 1.50 × the mean
        sequences  3 of 6 steps together
        cells      8, 25.0% padding
        shapes     2, the largest 2 × 3
    """

    num_batches: int
    num_updates: int
    num_sequences: int
    num_steps: int
    num_cells: int
    padding_fraction: float
    shortest_batch: int
    longest_batch: int
    num_shapes: int
    largest_shape: tuple[int, int]
    cost_balance: float
    dropped: tuple[Dropped, ...]
    rank: int
    num_ranks: int

    def to_dict(self) -> dict[str, Any]:
        """Returns the figures as plain values, for JSON."""
        return asdict(self) | {
            "largest_shape": list(self.largest_shape),
            "dropped": [asdict(reason) for reason in self.dropped],
        }

    def __str__(self) -> str:
        lines = self._lines()
        width = max(len(name) for name, _ in lines)
        return "\n".join(f"{name:<{width}}  {words}" for name, words in lines)

    def to_html(self) -> str:
        """Returns the figures as a small HTML table."""
        rows = (
            f'<tr><th style="text-align: left">{escape(name)}</th><td style="text-align: left">{escape(words)}</td></tr>'
            for name, words in self._lines()
        )
        return f"<table>{''.join(rows)}</table>"

    def _lines(self) -> list[tuple[str, str]]:
        rows, steps = self.largest_shape
        updates = f" in {self.num_updates:,} updates" if self.num_updates != self.num_batches else ""
        between = f"{self.shortest_batch:,}"
        if self.longest_batch != self.shortest_batch:
            between += f" to {self.longest_batch:,}"
        lines = [
            (
                "batches",
                f"{self.num_batches:,}{updates} of {between} steps, the costliest {self.cost_balance:.2f} × the mean",
            ),
            ("sequences", f"{self.num_sequences:,} of {self.num_steps:,} steps together"),
            ("cells", f"{self.num_cells:,}, {self.padding_fraction:.1%} padding"),
            ("shapes", f"{self.num_shapes:,}, the largest {rows:,} × {steps:,}"),
        ]
        lines += [
            ("dropped", f"{part.num_steps:,} steps of {part.num_sequences:,} sequences: {part.reason}")
            for part in self.dropped
        ]
        return [("rank", f"{self.rank} of {self.num_ranks}"), *lines] if self.num_ranks > 1 else lines


def summary_of(plan: "Plan") -> Summary:
    """Counts the figures of a plan."""
    rows, steps, cost = (plan.column(name) for name in ("rows", "steps", "cost"))
    largest = plan.shape(int(np.argmax(plan.column("cells")))) if plan.num_batches else (0, 0)
    return Summary(
        num_batches=plan.num_batches,
        num_updates=int(plan.column("update").max(initial=-1)) + 1,
        num_sequences=plan.num_sequences,
        num_steps=plan.num_steps,
        num_cells=plan.num_cells,
        padding_fraction=plan.padding_fraction,
        shortest_batch=int(steps.min(initial=plan.num_cells)),
        longest_batch=int(steps.max(initial=0)),
        num_shapes=len(np.unique(rows * (steps.max(initial=0) + 1) + steps)),
        largest_shape=largest,
        cost_balance=float(cost.max() / cost.mean()) if plan.num_batches else 1.0,
        dropped=_dropped(plan),
        rank=plan.rank,
        num_ranks=plan.num_ranks,
    )


def _dropped(plan: "Plan") -> tuple[Dropped, ...]:
    found = plan.dropped.group_by("reason").aggregate([("sequence", "count_distinct"), ("length", "sum")])
    counts = zip(
        found["reason"].to_pylist(),
        found["sequence_count_distinct"].to_pylist(),
        found["length_sum"].to_pylist(),
        strict=True,
    )
    return tuple(
        Dropped(reason=reason, num_sequences=sequences, num_steps=steps) for reason, sequences, steps in sorted(counts)
    )
