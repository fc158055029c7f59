"""The base where none was chosen: the naive forecast that served best in the training part."""

import numpy as np

from drystone.core.lengths import offsets_of
from drystone.core.sequences import Sequences
from drystone.train.features.encode import filled_forward
from drystone.train.features.numbers import mean_and_spread
from drystone.train.settings import Base
from drystone.train.tasks.forecast.naive import LAST, naive_offsets


def best_base(seqs: Sequences, target: str, season: int | None, horizon: int) -> Base:
    """Returns which of the mean ("none"), the last value and the value a season before has the least squared error.

    What is left to learn is least then. Errors are in units of each number's standard deviation.

    Args:
        seqs: the training part.
        target: the field; what misses (NaN) is the last value before, if any, else the mean, and errors there do not count.
        season: in steps; None leaves it out.
        horizon: how many steps ahead.

    Example:
        >>> days = np.tile([0.0, 5.0, 1.0, 7.0], 10) + np.arange(40.0)
        >>> seqs = Sequences.from_arrays({"y": [days]})
        >>> best_base(seqs, "y", 4, 8), best_base(seqs, "y", None, 8)
        ('season', 'last')
    """
    mean, spread = mean_and_spread(seqs, target)
    begins = offsets_of(seqs.lengths)[:-1]
    found = seqs.field(target).values
    is_known = ~np.isnan(found).reshape(seqs.num_steps, -1)
    values = filled_forward(found, begins).reshape(seqs.num_steps, -1)
    values = np.nan_to_num((values - mean) / spread)
    step = np.arange(seqs.num_steps) - np.repeat(begins, seqs.lengths)
    origins = np.flatnonzero(step < np.repeat(seqs.lengths, seqs.lengths) - horizon)
    offsets: dict[Base, tuple[int, ...]] = {"last": LAST * horizon}
    if season is not None:
        offsets["season"] = naive_offsets(season, horizon)
    errors: dict[Base, float] = dict.fromkeys(("none", *offsets), 0.0)
    for ahead in range(1, horizon + 1):
        truth, counts = values[origins + ahead], is_known[origins + ahead]
        errors["none"] += float(np.square(truth).sum(where=counts))
        for base, chosen in offsets.items():
            then = np.where(step[origins] + chosen[ahead - 1] < 0, origins, origins + chosen[ahead - 1])
            errors[base] += float(np.square(values[then] - truth).sum(where=counts))
    return min(errors, key=errors.__getitem__)
