"""Figures as sums over sums: what single batches add to, whatever the layout and the size of a batch."""

import inspect
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from drystone.core.errors import ConfigError
from drystone.torch.batch import TensorBatch
from drystone.train.loop.objective import Outcome, on_device

MAX_WAITING = 1 << 18  # numbers of predictions: 1 MiB of float32
COUNTS = ("weight", "sequences", "steps", "seconds")
OWN_FIGURES = ("loss", "sequences", "steps", "seconds")


class Totals:
    """Sums of loss, weight, counts and seconds, and the state of metrics.

    Metrics are updated with the rows of many batches together, since an update costs about as much for one row as for
    thousands.

    Args:
        metrics: under the names of their figures; copies count here, in float64.
        device: where the metrics count.
    """

    def __init__(self, metrics: Mapping[str, Metric] | None, device: torch.device) -> None:
        _check(metrics)
        self._metrics = {
            name: deepcopy(metric).to(device).set_dtype(torch.float64) for name, metric in (metrics or {}).items()
        }
        self._device = device
        self._placed = [name for name, metric in self._metrics.items() if takes_places(metric)]
        for metric in self._metrics.values():
            metric.persistent(mode=True)
        self.reset()

    def reset(self) -> None:
        """Begins anew."""
        self.loss: Tensor | float = 0.0
        self.weight = 0.0
        self.sequences = 0
        self.steps = 0
        self.seconds = 0.0
        self._waiting: list[tuple[Tensor, ...]] = []
        self._num_waiting = 0
        for metric in self._metrics.values():
            metric.reset()

    @property
    def is_empty(self) -> bool:
        """Whether no batch was added."""
        return self.steps == 0

    def add(self, batch: TensorBatch, outcome: Outcome) -> None:
        """Adds what the model made of a batch, but for its loss, which its reader adds; waits for no device."""
        self.weight += outcome.weight
        self.sequences += len(batch.host.ends)
        self.steps += int(np.count_nonzero(batch.host.valid))
        if not self._metrics:
            return
        if outcome.predictions is None or outcome.targets is None:
            if outcome.weight:
                raise ConfigError(
                    f"metrics ({', '.join(self._metrics)}) need Outcome(..., predictions=, targets=) of the objective."
                )
        else:
            # Copies: the model may use their memory again, and a view would hold all of what it looks at.
            rows = outcome.predictions.detach().clone(), outcome.targets.detach().clone()
            self._waiting.append((*rows, self._places(batch, outcome)) if self._placed else rows)
            self._num_waiting += outcome.predictions.numel()
            if self._num_waiting >= MAX_WAITING:
                self._update_metrics()

    def figures(self) -> dict[str, float]:
        """Returns loss and metrics, the counts behind them, and the seconds."""
        self._update_metrics()
        figures = {"loss": float(self.loss) / self.weight if self.weight else float("nan")}
        if self.weight:
            figures |= {name: _figure(name, metric) for name, metric in self._metrics.items()}
        return figures | {"sequences": self.sequences, "steps": self.steps, "seconds": self.seconds}

    def state_dict(self) -> dict[str, Any]:
        """Returns all sums, for a checkpoint; with the rows that wait, so that saving changes no rounding."""
        counts = {name: getattr(self, name) for name in COUNTS}
        metrics = {name: metric.state_dict() for name, metric in self._metrics.items()}
        return counts | {"loss": float(self.loss), "metrics": metrics, "waiting": list(self._waiting)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from sums that `state_dict` returned."""
        self.reset()
        for name in ("loss", *COUNTS):
            setattr(self, name, state[name])
        self._waiting = [tuple(part.to(self._device) for part in rows) for rows in state["waiting"]]
        self._num_waiting = sum(rows[0].numel() for rows in self._waiting)
        for name, metric in self._metrics.items():
            metric.load_state_dict(state["metrics"][name])
            metric.to(self._device)  # it takes tensors as they come
            metric._update_count = int(self.steps > 0)  # else it warns that nothing was counted

    def _places(self, batch: TensorBatch, outcome: Outcome) -> Tensor:
        if outcome.cells is None:
            raise ConfigError(f"metrics ({', '.join(self._placed)}) need Outcome(..., cells=) of the objective.")
        return on_device(batch.grid.places(outcome.cells), batch)

    def _update_metrics(self) -> None:
        if self._num_waiting:
            predictions, targets, *places = (torch.cat(rows) for rows in zip(*self._waiting, strict=True))
            for name, metric in self._metrics.items():
                try:
                    metric.update(predictions, targets, *(places if name in self._placed else ()))
                except Exception as error:
                    shapes = f"predictions {list(predictions.shape)} and targets {list(targets.shape)}"
                    error.add_note(f"It came from metric {name!r}, updated with {shapes}.")
                    raise
        self._waiting, self._num_waiting = [], 0


def takes_places(metric: Metric) -> bool:
    """Returns whether a metric is updated with predictions, targets, and the sequence and step of each."""
    return "places" in inspect.signature(metric.update).parameters


def _check(metrics: Mapping[str, Metric] | None) -> None:
    """Raises ConfigError for what is no mapping of names to metrics, and for names that other figures have."""
    if metrics is not None and not isinstance(metrics, Mapping):
        raise ConfigError(f"metrics must be a dict of names and torchmetrics' metrics; got {type(metrics).__name__}.")
    for name, metric in (metrics or {}).items():
        if name in OWN_FIGURES:
            raise ConfigError(f"a metric is named {name!r}, as a figure of each evaluation is; give it another name.")
        if not isinstance(metric, Metric):
            raise ConfigError(f"metric {name!r} must be a torchmetrics.Metric; got {type(metric).__name__}.")


def _figure(name: str, metric: Metric) -> float:
    value: Any = metric.compute()
    if not isinstance(value, Tensor) or value.numel() != 1:
        shape = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise ConfigError(f"metric {name!r} gives {shape}; a figure is one number. Ask it for an average.")
    return float(value)
