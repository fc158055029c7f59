"""The season of regular timestamps: after how many steps a day, a week or a year has passed."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from drystone.core.lengths import offsets_of
from drystone.core.sequences import Sequences

HOUR = 60  # minutes
DAY = 24 * HOUR
SEASONS: Mapping[int, int] = MappingProxyType(
    {10: 144, 15: 96, 30: 48, HOUR: 24, DAY: 7, 7 * DAY: 52}
)  # steps by the minutes of a step
MONTHS_A_YEAR = 12
MONTH = (28 * DAY, 31 * DAY)


def usual_season(seqs: Sequences) -> int | None:
    """Returns the season of sequences whose steps are ordered by timestamps, all equally far apart; None for others.

    Steps of 10, 15, 30 and 60 minutes have a season of a day, steps of a day one of a week, steps of a week or a month
    one of a year.

    Example:
        >>> from dataclasses import replace
        >>> times = np.arange("2024-01-01", "2024-01-03", dtype="M8[h]")
        >>> seqs = Sequences.from_arrays({"time": [times], "load": [np.arange(48.0)]})
        >>> usual_season(replace(seqs, order_by="time"))
        24
    """
    if seqs.order_by is None or seqs.order_by not in seqs.step_columns:
        return None
    field = seqs.field(seqs.order_by)
    if field.is_text or field.item_shape or field.values.dtype.kind != "M":
        return None
    times = field.values
    goes_on = np.ones(max(len(times) - 1, 0), dtype=bool)
    goes_on[offsets_of(seqs.lengths)[1:-1] - 1] = False
    apart = np.unique(np.diff(times)[goes_on])
    minutes = apart / np.timedelta64(1, "m")
    if len(apart) == 1:
        found = SEASONS.get(int(minutes[0])) if minutes[0] == int(minutes[0]) else None
        if found is not None:
            return found
    months = np.diff(times.astype("M8[M]").astype(np.int64))[goes_on]
    is_monthly = len(apart) and (months == 1).all() and MONTH[0] <= minutes[0] and minutes[-1] <= MONTH[1]
    return MONTHS_A_YEAR if is_monthly else None
