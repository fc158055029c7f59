"""What the weights of all batches of an epoch sum to, found without making a batch."""

import numpy as np

from drystone.core.grid import Ints
from drystone.core.plan import Plan
from drystone.core.sequences import Sequences


def weight_of_steps(seqs: Sequences, plan: Plan, weight: str | None) -> float:
    """Returns the sum of weights over all scored steps that the plan lays out.

    Args:
        seqs: the sequences that were planned.
        plan: of the epoch.
        weight: a field, with a value a step or a sequence; 1 a step by default.
    """
    sequence, offset = plan.column("sequence"), plan.column("offset")
    first, stop = _scored(seqs, plan)
    if weight is None:
        return float((stop - first).sum())
    field = seqs.field(weight)
    values = np.asarray(field.values, np.float64)
    if not field.per_step:
        return float((values[sequence] * (stop - first)).sum())
    sums = np.concatenate([[0.0], np.cumsum(values)])
    starts = np.cumsum(seqs.lengths) - seqs.lengths
    begin = starts[sequence] + offset
    return float((sums[begin + stop] - sums[begin + first]).sum())


def weight_of_sequences(seqs: Sequences, plan: Plan, weight: str | None) -> float:
    """Returns the sum of weights over all sequences that end in the plan.

    Args:
        seqs: the sequences that were planned.
        plan: of the epoch.
        weight: a field with a value a sequence; 1 a sequence by default.
    """
    sequence = plan.column("sequence")
    ended = sequence[plan.column("offset") + plan.column("length") == plan.lengths[sequence]]
    return float(len(ended) if weight is None else np.asarray(seqs.field(weight).values, np.float64)[ended].sum())


def _scored(seqs: Sequences, plan: Plan) -> tuple[Ints, Ints]:
    """Returns, of each span, the first of its steps that is scored, and the one after the last."""
    offset, length = plan.column("offset"), plan.column("length")
    if seqs.is_plain:
        return np.zeros_like(length), length
    first, stop = seqs.scored_steps(plan.column("sequence"))
    first = np.clip(first - offset, 0, length)
    return first, np.clip(stop - offset, first, length)
