"""What is left of sequences when some batches of their plan are delivered."""

from dataclasses import replace

import numpy as np

from drystone.core.grid import Ints
from drystone.core.plan import Plan
from drystone.core.sequences import Sequences
from drystone.core.streams.window import Held


def rest_of(held: Held, plan: Plan, delivered: Ints) -> Held:
    """Returns the steps that no delivered batch holds: sequences that were begun first, then by number.

    Args:
        held: the sequences that were planned.
        plan: where they lie.
        delivered: batches of the plan; those before one that continues a sequence are among them.
    """
    is_out = np.isin(plan.column("batch"), delivered)
    out = plan.column("sequence")[is_out]
    done = np.zeros(len(held), np.int64)
    np.add.at(done, out, plan.column("length")[is_out])
    row = np.full(len(held), -1)
    row[: len(held.rows)] = held.rows
    row[out] = plan.column("row")[is_out]  # spans are in the order of batches, so the last one stands
    offsets = held.offsets + done
    left = np.flatnonzero(done < held.seqs.lengths)
    begun = offsets[left] > 0
    left = np.concatenate([left[begun], left[~begun]])
    return Held(
        seqs=_without_first(held.seqs.select(left), done[left]),
        numbers=held.numbers[left],
        offsets=offsets[left],
        rows=row[left[: int(begun.sum())]],
    )


def _without_first(seqs: Sequences, steps: Ints) -> Sequences:
    """Returns sequences without so many of their first steps."""
    bounds = seqs.bounds
    if bounds is not None:
        bounds = replace(bounds, lead=np.maximum(bounds.lead - steps, 0))
    return replace(seqs, starts=seqs.starts + steps, lengths=seqs.lengths - steps, bounds=bounds)
