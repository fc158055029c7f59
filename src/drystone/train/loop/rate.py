"""Learning rates as functions of progress, so that they need not know how many updates will come.

One cycle after Smith and Topin, "Super-convergence" (2019); warm-up and cosine after Loshchilov and Hutter, "SGDR" (2017).
"""

from collections.abc import Callable, Mapping
from math import cos, pi
from typing import Literal, get_args

from drystone.core.errors import ConfigError

ScheduleName = Literal["one-cycle", "cosine", "constant"]

WARMUPS: Mapping[ScheduleName, float] = {"one-cycle": 0.3, "cosine": 0.05, "constant": 0.0}
FIRST = 1 / 25  # of the highest rate, where one cycle begins
LAST = FIRST / 1e4  # where it ends


def rate_at(schedule: ScheduleName, warmup: float | int | None, progress: float | int) -> float:
    """Returns the rate as a share of the highest.

    Args:
        schedule: its name.
        warmup: the share of the training in which it rises; None for what is usual with the schedule.
        progress: the share of the training that is done, 0 … 1.

    >>> [round(rate_at("one-cycle", None, progress), 2) for progress in (0.0, 0.15, 0.3, 0.65, 1.0)]
    [0.04, 0.52, 1.0, 0.5, 0.0]
    """
    rises = WARMUPS[schedule] if warmup is None else warmup
    if progress < rises:
        return RISING[schedule](progress / rises)
    return FALLING[schedule]((progress - rises) / (1 - rises))


def check_schedule(schedule: str, warmup: float | int | None) -> None:
    """Raises ConfigError for a schedule that is not known, or a warm-up out of range."""
    names = get_args(ScheduleName)
    if schedule not in names:
        raise ConfigError(f"schedule must be one of {', '.join(names)}; got {schedule!r}.")
    if warmup is not None and not 0 <= warmup < 1:
        raise ConfigError(f"warmup must be a share of the training, 0 ≤ warmup < 1; got {warmup!r}.")


def _between(first: float, last: float) -> Callable[[float], float]:
    """Half a wave of the cosine, from the first value to the last."""
    return lambda share: last + (first - last) * (1 + cos(pi * share)) / 2


RISING: Mapping[ScheduleName, Callable[[float], float]] = {
    "one-cycle": _between(FIRST, 1.0),
    "cosine": lambda share: FIRST + (1 - FIRST) * share,
    "constant": lambda share: FIRST + (1 - FIRST) * share,
}
FALLING: Mapping[ScheduleName, Callable[[float], float]] = {
    "one-cycle": _between(1.0, LAST),
    "cosine": _between(1.0, 0.0),
    "constant": lambda _: 1.0,
}
