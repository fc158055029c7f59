"""Figures of a training, told to Ray now and then: Ray lets all workers wait for up to two seconds each time."""

from math import inf
from typing import Any

import ray.train

from drystone.train.loop.events import Ended, Event
from drystone.train.ranks.ranks import Ranks
from drystone.train.watch.metrics_log import record_of

SECONDS_BETWEEN = 30.0


class Reports:
    """Tells Ray, its callbacks and its dashboard, of the last figures; every rank does so, at the same events.

    Args:
        ranks: whose common clock says when it is time.
    """

    def __init__(self, ranks: Ranks) -> None:
        self._ranks = ranks
        self._told_at = -inf
        self._untold: dict[str, Any] | None = None

    def __call__(self, event: Event) -> None:
        found = record_of(event)
        if found is not None:
            self._untold = found | found.pop("figures")
        is_time = isinstance(event, Ended) or self._ranks.now - self._told_at >= SECONDS_BETWEEN
        if self._untold is not None and is_time:
            ray.train.report(self._untold)
            self._untold, self._told_at = None, self._ranks.now
