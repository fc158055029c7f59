"""The next values of a target, as a field that looks ahead."""

import numpy as np

from drystone.core.free_name import free_name
from drystone.core.lengths import ranges
from drystone.core.sequences import Sequences
from drystone.train.features.encode import FILL_IN
from drystone.train.features.numbers import check_finite
from drystone.train.settings import Settings
from drystone.train.tasks.forecast.naive import with_beginnings


def with_targets(seqs: Sequences, target: str, horizon: int) -> Sequences:
    """Returns the sequences with the next values of the target as their last field that looks ahead; they know where they begin."""
    name = free_name(f"{target} ahead", seqs.field_names)
    return with_beginnings(seqs, target).ahead(target, range(1, horizon + 1), name=name)


def ahead_in(seqs: Sequences) -> str:
    """Returns the field that `with_targets` added."""
    return next(reversed(dict(seqs.ahead_fields)))


def num_scored(seqs: Sequences, target: str, horizon: int, *, may_miss: bool) -> int:
    """Returns how many steps are scored: those whose next values are known.

    Args:
        seqs: what `with_targets` returned.
        target: the field.
        horizon: how many steps ahead.
        may_miss: whether values may be NaN.
    """
    first, stop = seqs.scored_steps()
    if not may_miss:
        return int((stop - first).sum())
    column = seqs.field(target).column
    known = ~np.isnan(column.slice(0, len(column))).reshape(len(column), -1).any(axis=1)
    counts = np.concatenate([[0], np.cumsum(known)])  # of the values before each
    begins = ranges(seqs.starts + first, stop - first) + 1
    return int((counts[begins + horizon] - counts[begins] == horizon).sum())


def check_values(seqs: Sequences, settings: Settings) -> None:
    """Proves that the values of the target are finite; where they may miss, that those are which are there."""
    is_strict = settings.missing == "error"
    remedy = FILL_IN if is_strict else ""
    check_finite(seqs, settings.target, "targets of forecasts", missing_allowed=not is_strict, remedy=remedy)
