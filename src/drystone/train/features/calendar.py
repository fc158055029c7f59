"""What a calendar says of timestamps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
PartName = Literal["minute", "hour", "weekday", "yearday"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A number that comes round again.

    Args:
        period: after which it does.
        of: returns it, 0 … period, of timestamps.
    """

    period: float
    of: Callable[[Times], Floats]


def _since(times: Times, unit: str) -> Floats:
    """Returns the seconds since the unit began: a day, an hour, a year."""
    return (times - times.astype(f"M8[{unit}]")).astype("m8[ns]").astype(np.int64) / 1e9


def _weekday(times: Times) -> Floats:
    days = times.astype("M8[D]").astype(np.int64)
    return (days + 3) % 7 + _since(times, "D") / 86_400  # 1970 began on a Thursday


PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "minute": Part(period=60.0, of=lambda times: _since(times, "h") / 60),
        "hour": Part(period=24.0, of=lambda times: _since(times, "D") / 3_600),
        "weekday": Part(period=7.0, of=_weekday),
        "yearday": Part(period=365.25, of=lambda times: _since(times, "Y") / 86_400),
    }
)
"""The minute of the hour, the hour of the day, the day of the week (0 is Monday) and of the year (0 is January 1); with
fractions."""
