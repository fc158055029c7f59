"""Saves checkpoints while a training goes on."""

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from torch import Tensor

from drystone.train.checkpoint.checkpoint import Checkpoint
from drystone.train.checkpoint.store import Store
from drystone.train.loop.events import Ended, Evaluated, Event
from drystone.train.loop.trainer import Trainer
from drystone.train.watch.best import Best
from drystone.train.watch.metrics_log import MetricsLog


class Saver:
    """Saves at intervals and at the end; keeps the weights that were best on the validation part.

    Args:
        trainer: whose state is saved.
        store: where.
        log: the metrics, whose length a checkpoint holds so that they can be cut back to it.
        best: takes the events before this does; None where nothing is evaluated.
        seconds: between checkpoints; 0 saves after every update.
    """

    def __init__(
        self, trainer: Trainer, store: Store, log: MetricsLog, best: Best | None, seconds: float | int
    ) -> None:
        self._trainer = trainer
        self._store = store
        self.log = log
        self._best = best
        self._seconds = seconds
        self._saved_at = perf_counter()
        self.best_weights: Mapping[str, Tensor] | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Evaluated) and self._best is not None and self._best.since == 0:
            weights = self._trainer.model.state_dict()
            self.best_weights = {name: value.detach().cpu().clone() for name, value in weights.items()}
        if isinstance(event, Ended) or perf_counter() - self._saved_at >= self._seconds:
            self.save()

    def save(self) -> None:
        """Saves now."""
        state = {
            "trainer": self._trainer.state_dict(),
            "best": None if self._best is None else self._best.state_dict(),
            "metrics_bytes": self.log.sync(),
        }
        self._store.save(self._trainer.counts.updates, Checkpoint(state=state, best=self.best_weights))
        self._saved_at = perf_counter()

    def load(self, checkpoint: Checkpoint) -> None:
        """Sets trainer, metrics and best back to a checkpoint.

        Raises:
            DataError: it is of other data, another layout or another seed.
        """
        state: dict[str, Any] = checkpoint.state
        self._trainer.load_state_dict(state["trainer"])
        self.log.cut_back(state["metrics_bytes"])
        if self._best is not None:
            self._best.load_state_dict(state["best"])
        self.best_weights = checkpoint.best
