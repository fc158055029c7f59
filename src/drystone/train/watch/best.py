"""The best evaluation so far, and the end of patience."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any

from drystone.core.errors import ConfigError
from drystone.train.loop.events import Evaluated, Event


@dataclass(slots=True, kw_only=True)
class Best:
    """Follows one figure of the evaluations.

    Args:
        monitor: the name of the figure.
        higher_is_better: which way is better.
        value, update: of the best evaluation so far; None before one.
        since: how many evaluations came after it.
    """

    monitor: str
    higher_is_better: bool
    value: float | None = None
    update: int | None = None
    since: int = 0

    def __call__(self, event: Event) -> None:
        """Takes an event; of two equal evaluations the first is best, and one that is not a number never is."""
        if not isinstance(event, Evaluated):
            return
        if self.monitor not in event.figures:
            raise ConfigError(f"monitor is {self.monitor!r}; the figures are: {', '.join(event.figures)}.")
        value = event.figures[self.monitor]
        sign = 1 if self.higher_is_better else -1
        if not isnan(value) and (self.value is None or sign * value > sign * self.value):
            self.value, self.update, self.since = value, event.update, 0
        else:
            self.since += 1

    def state_dict(self) -> dict[str, Any]:
        """Returns what a checkpoint must hold."""
        return {"value": self.value, "update": self.update, "since": self.since}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state_dict` returned."""
        self.value, self.update, self.since = state["value"], state["update"], state["since"]
