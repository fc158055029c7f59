"""Stops a training that no longer gets better."""

from collections.abc import Callable

from drystone.train.loop.events import Evaluated, Event
from drystone.train.watch.best import Best


class EarlyStopping:
    """Stops once so many evaluations in a row brought nothing better.

    Args:
        best: takes the events before this does.
        patience: how many, ≥ 1.
        stop: `Trainer.stop`.
    """

    def __init__(self, best: Best, patience: int, stop: Callable[[str], None]) -> None:
        self._best = best
        self._patience = patience
        self._stop = stop

    def __call__(self, event: Event) -> None:
        if isinstance(event, Evaluated) and self._best.since >= self._patience:
            self._stop("early stopping")
