"""Advice in words on layouts, batch size and steps, reasoned from lengths and from what was planned."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from rich.filesize import decimal

from drystone.cli.layouts import Compared
from drystone.core.layouts import Bucketed, Packed, Stateful
from drystone.core.lengths import Lengths
from drystone.core.words import so_many

LITTLE_PADDING = 0.05
MOST_SPLIT = 2  # times as many batches as without buckets
LITTLE_LOSS = 0.05  # of steps
LITTLE_GAIN = 0.05  # of padding, for which a simpler layout is not left
LONG = 512  # steps; from here on a few sequences are series, better cut than laid side by side
FEW_UPDATES, MANY_UPDATES = 10, 2_000
MANY_SHAPES = 16
NUM_TRIED = 20_000  # sequences on which another shape is tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What advice is reasoned from: the lengths, and one layout of each kind on them."""

    lengths: Lengths
    batch_size: int
    padded: Compared
    bucketed: Compared
    packed: Compared
    grid: Compared
    stateful: Compared

    @property
    def carried_steps(self) -> int:
        """The steps of a stateful row."""
        return cast("Stateful", self.stateful.layout).steps

    @property
    def is_few_series(self) -> bool:
        """Whether there are too few sequences for a batch, and long ones."""
        return len(self.lengths) < self.batch_size and int(self.lengths.max()) >= LONG

    @property
    def fills_buckets(self) -> bool:
        """Whether buckets leave batches full enough to compare: a sequence alone needs no padding, and is no batch."""
        plain, found = self.padded.summary, self.bucketed.summary
        if plain is None or found is None:
            return False
        return (
            found.num_batches <= MOST_SPLIT * plain.num_batches
            or cast("Bucketed", self.bucketed.layout).cells is not None
        )


def percentiles(lengths: Lengths) -> dict[str, int]:
    """Returns lengths that the given shares of sequences do not exceed.

    >>> percentiles(np.array([3, 1, 2, 9]))
    {'min': 1, 'p50': 2, 'p90': 9, 'p99': 9, 'max': 9}
    """
    found = np.quantile(lengths, [0, 0.5, 0.9, 0.99, 1], method="inverted_cdf")
    return dict(zip(("min", "p50", "p90", "p99", "max"), map(int, found), strict=True))


def advice(facts: Facts) -> list[str]:
    """Returns sentences, the most important first; none of them asks for what the data does not allow."""
    rules = (few_series,) if facts.is_few_series else (padding, long_steps, long_tail, batch_size, shapes)
    return [words for rule in (*rules, grid) if (words := rule(facts))]


def few_series(facts: Facts) -> str:
    """One or a few long series: go on with them from batch to batch, or cut them."""
    lengths, count, steps = facts.lengths, len(facts.lengths), facts.carried_steps
    longest = int(lengths.max())
    whole = Stateful(rows=count, steps=steps)
    start = f"There is one series, of {longest:,} steps" if count == 1 else f"There are {count} series"
    few = "One row keeps" if count == 1 else "Few rows keep"
    words = (
        f"{start}: laid out whole, an epoch is {so_many(-(-count // facts.batch_size), 'update')}. {whole} makes "
        f"{so_many(whole.plan(lengths).num_batches, 'update')} and carries the state on."
    )
    parts = min(facts.batch_size // count, longest // steps)
    if parts <= 1:
        return words
    cut = lengths[:, None] // parts + (np.arange(parts) < lengths[:, None] % parts)
    cut = cut[cut > 0]
    wide = Stateful(rows=len(cut), steps=steps)
    return (
        f"{words} {few} no processor busy: seqs.cut({parts}) and {wide} run {len(cut)} parts "
        f"side by side, in {so_many(wide.plan(cut).num_batches, 'update')}; lead= warms up the state of each part."
    )


def padding(facts: Facts) -> str:
    """The simplest layout that leaves little padding."""
    plain = _padding(facts.padded)
    name = facts.padded.name
    if len(facts.lengths) == 1:
        return "There is one sequence, so every layout holds it in one row."
    if facts.lengths.min() == facts.lengths.max():
        return f"All sequences have {facts.lengths[0]:,} steps: {name} needs no padding, and no other layout is better."
    if plain <= LITTLE_PADDING:
        return f"{name} leaves {plain:.1%} of its cells to padding; no other layout gains much."
    bucketed = [facts.bucketed] if facts.fills_buckets else []
    whole = [found for found in (*bucketed, facts.packed, facts.grid) if found.summary is not None]
    best = min(whole, key=_padding)
    if bucketed and _padding(facts.bucketed) <= _padding(best) + LITTLE_GAIN:
        best = facts.bucketed
    if _padding(best) > plain - LITTLE_GAIN:
        return f"{name} leaves {plain:.1%} of its cells to padding; the other layouts here gain little."
    fewer = (1 - _padding(best)) / (1 - plain)
    named = [f"{name} leaves {plain:.1%} of its cells to padding"]
    if bucketed and _padding(facts.bucketed) <= plain - LITTLE_GAIN:
        named.append(f"{facts.bucketed.name} {_padding(facts.bucketed):.1%} with one sequence a row")
    if best is not facts.bucketed:
        named.append(f"{best.name} {_padding(best):.1%} with several")
    return f"{', '.join(named)}: {fewer:.1f} × fewer cells to compute."


def long_steps(facts: Facts) -> str:
    """Sequences over which gradients are long to compute."""
    usual = percentiles(facts.lengths)["p50"]
    if usual < 2 * LONG or facts.stateful.summary is None:
        return ""
    return (
        f"Half of the sequences have {usual:,} steps or more. Where gradients need not reach that far back, "
        f"{facts.stateful.name} cuts them at batch borders and carries the state on: batches of "
        f"{decimal(facts.stateful.num_bytes)} instead of {decimal(facts.padded.num_bytes)}."
    )


def long_tail(facts: Facts) -> str:
    """A few sequences that are much longer than all others."""
    found = percentiles(facts.lengths)
    if found["max"] < 2 * found["p99"] or len(facts.lengths) < 100:
        return ""
    lost = 1 - np.minimum(facts.lengths, found["p99"]).sum() / facts.lengths.sum()
    words = f"The longest sequence has {found['max']:,} steps, but 99% have up to {found['p99']:,}."
    if lost > LITTLE_LOSS:
        return f"{words} What lies beyond is {lost:.1%} of all steps: look at the longest sequences before training."
    return (
        f"{words} Where the ends matter little, seqs.truncate({found['p99']}) leaves out {lost:.1%} of the steps; "
        f"Stateful keeps them all."
    )


def batch_size(facts: Facts) -> str:
    """How many updates the batch size makes, and another one where they are few or many."""
    count, size = len(facts.lengths), facts.batch_size
    updates = -(-count // size)
    words = f"batch_size={size:,} makes {so_many(updates, 'update')} an epoch."
    smaller, larger = count // FEW_UPDATES, 4 * size
    if updates < FEW_UPDATES and 1 < smaller <= size // 2:
        return f"{words} That is few for training: {smaller:,} makes {-(-count // smaller):,}."
    if updates > MANY_UPDATES:
        bound = larger * int(facts.lengths.max()) * facts.padded.num_bytes / _largest_cells(facts.padded)
        return f"{words} {larger:,} would make {-(-count // larger):,}, of at most {decimal(round(bound))} each when padded."
    return words


def shapes(facts: Facts) -> str:
    """Few shapes, for kernels that are compiled for each."""
    plain, fixed = facts.padded.summary, facts.grid.summary
    if plain is None or fixed is None or plain.num_shapes <= MANY_SHAPES or fixed.num_shapes > 2:
        return ""
    return (
        f"{facts.padded.name} has {plain.num_shapes:,} shapes. Where kernels are compiled for each shape "
        f"(XLA, CUDA graphs), {facts.grid.name} has {fixed.num_shapes}."
    )


def grid(facts: Facts) -> str:
    """Whether rows × steps suit the lengths."""
    layout, summary = facts.grid.layout, facts.grid.summary
    assert isinstance(layout, Packed)
    assert layout.rows is not None
    assert layout.steps is not None
    longest, total = int(facts.lengths.max()), int(facts.lengths.sum())
    if summary is None:
        longer = np.count_nonzero(facts.lengths > layout.steps)
        share = longer / len(facts.lengths)
        return (
            f"steps={layout.steps:,} is too short for {longer:,} of the sequences ({share:.1%}). Packed needs "
            f"steps={longest:,} or more; Stateful goes on with long sequences in the next batch."
        )
    if facts.is_few_series:
        return ""
    if summary.num_batches == 1 and total >= FEW_UPDATES * longest:
        words = f"{facts.grid.name} holds all {total:,} steps in one batch, so an epoch is one update."
        return f"{words} Fewer rows or steps make more; steps={longest:,} is enough for the longest sequence."
    longer_rows = replace(layout, rows=-(-layout.rows // 2), steps=2 * layout.steps)
    if summary.padding_fraction <= LITTLE_PADDING or summary.num_batches == 1:
        return ""
    tried = longer_rows.plan(facts.lengths[:NUM_TRIED]).padding_fraction
    if tried > summary.padding_fraction / 2:
        return ""
    return (
        f"{facts.grid.name} leaves {summary.padding_fraction:.1%} of its cells empty, {longer_rows} about "
        f"{tried:.1%}: longer rows are easier to fill."
    )


def _padding(found: Compared) -> float:
    return 1.0 if found.summary is None else found.summary.padding_fraction


def _largest_cells(found: Compared) -> int:
    assert found.summary is not None
    rows, steps = found.summary.largest_shape
    return rows * steps
