"""Parts of whole sequences by time: the first for training, the last for the test."""

import warnings
from collections.abc import Mapping

import numpy as np

from drystone.core.errors import ConfigError, DataError
from drystone.core.sequences import Sequences
from drystone.core.views.times import times_of
from drystone.core.words import so_many
from drystone.train.split import PARTS, Ints


def in_time(seqs: Sequences, members: Ints, shares: Mapping[str, float]) -> dict[str, Ints]:
    """Returns the parts of some sequences by their first times, each [sequences] rising.

    Sequences that begin at the same time lie in the same part. One that reaches into the time of a later part lies in none,
    and a warning says so.

    Args:
        seqs: the sequences; `order_by` names their times.
        members: those that the parts are drawn from, rising.
        shares: of validation and test among the members, 0 … 1.

    Raises:
        ConfigError: nothing orders the steps.
        DataError: no sequence is left for training; times that are missing or fall.
    """
    if seqs.order_by is None:
        raise ConfigError("split is 'time', which needs order_by (--order-by): the field of the times.")
    times = times_of(seqs, seqs.bounds_of(np.arange(len(seqs))), seqs.order_by)
    begin, end = times[seqs.starts[members]], times[(seqs.starts + seqs.lengths - 1)[members]]
    late, left = np.zeros(len(members), dtype=bool), np.ones(len(members), dtype=bool)
    parts: dict[str, Ints] = {}
    for part in ("test", "valid"):
        count = round(shares[part] * len(members))
        found = np.zeros_like(left)
        if count and left.any():
            border = np.sort(begin[left])[max(left.sum() - count, 0)]
            found = left & (begin >= border)
            left &= ~found
            late |= left & (end >= border)
            left &= ~late
        parts[part] = members[found]
    parts["train"] = members[left]
    if not len(parts["train"]):
        raise DataError(
            f"split is 'time', and no sequence ends before the other parts begin, so none is left for training: "
            f"{so_many(int(late.sum()), 'sequence')} reach into a later part. Give smaller shares, or split='random'."
        )
    if late.any():
        warnings.warn(
            f"{so_many(int(late.sum()), 'sequence')}, left out of all parts, would reach into the time of a later one; the first is "
            f"{seqs.place(int(members[np.argmax(late)]))}.",
            stacklevel=6,
        )
    return {part: parts[part] for part in PARTS}
