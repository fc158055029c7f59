"""Saves checkpoints while a training goes on."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from drystone.core.errors import NotFiniteError
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
        self._saved_at = trainer.counts.seconds
        self.best_weights: Mapping[str, Tensor] | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Evaluated) and self._best is not None and self._best.since == 0:
            weights = self._trainer.model.state_dict()
            self.best_weights = {name: value.detach().cpu().clone() for name, value in weights.items()}
        if isinstance(event, Ended) or self._trainer.counts.seconds - self._saved_at >= self._seconds:
            self.save()

    def save(self) -> None:
        """Saves now; several ranks all call it, and rank 0 writes.

        Raises:
            NotFiniteError: a parameter of the model is not finite; the checkpoints that there are stay.
            RunError: it could not be written; they stay too.
        """
        self._check_parameters()
        trained, ranks = self._trainer.state_dict(), self._trainer.ranks
        if ranks.is_first:
            best = None if self._best is None else self._best.state_dict()
            state = {"trainer": trained, "best": best, "metrics": self.log.state_dict()}
            self._store.save(self._trainer.counts.updates, Checkpoint(state=state, best=self.best_weights))
        self._saved_at = self._trainer.counts.seconds

    def load(self, checkpoint: Checkpoint) -> None:
        """Sets trainer, metrics and best back to a checkpoint.

        Raises:
            DataError: it is of other data, another layout or another seed.
            RunError: the metrics are not there any more as they were then.
        """
        state: dict[str, Any] = checkpoint.state
        self._trainer.load_state_dict(state["trainer"])
        if self._trainer.ranks.is_first:
            self.log.load_state_dict(state["metrics"])
        if self._best is not None:
            self._best.load_state_dict(state["best"])
        self.best_weights = checkpoint.best
        self._saved_at = self._trainer.counts.seconds

    def _check_parameters(self) -> None:
        """The last step may have spoiled them, with the loss before it still finite."""
        for name, parameter in self._trainer.model.named_parameters():
            if not parameter.isfinite().all():
                raise NotFiniteError(
                    f"after update {self._trainer.counts.updates}, {name} of the model is not finite, so it is not "
                    f"saved; the checkpoint before it stays. Try a lower learning_rate."
                )
