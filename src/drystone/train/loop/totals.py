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
from drystone.train.ranks.metrics import counting_alone, joined, saved_metric
from drystone.train.ranks.ranks import Ranks

MAX_WAITING = 1 << 18  # numbers of predictions: 1 MiB of float32
SUMS = ("loss", "weight", "sequences", "steps")
OWN_FIGURES = ("loss", "sequences", "steps", "seconds")


class Totals:
    """Sums of loss, weight, counts and seconds, and the state of metrics.

    Metrics are updated with the rows of many batches together, since an update costs about as much for one row as for
    thousands. Each rank adds up what it has; figures are those of all ranks.

    Args:
        metrics: under the names of their figures; copies count here, in float64.
        device: where the metrics count.
        ranks: those that add to the same figures; by default this process alone.
    """

    def __init__(self, metrics: Mapping[str, Metric] | None, device: torch.device, ranks: Ranks | None = None) -> None:
        _check(metrics)
        self._ranks = ranks or Ranks()
        self._metrics = {
            name: counting_alone(deepcopy(metric)).to(device).set_dtype(torch.float64)
            for name, metric in (metrics or {}).items()
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
        self.batches = 0
        self.seconds = 0.0
        self._waiting: list[tuple[Tensor, ...]] = []
        self._num_waiting = 0
        for metric in self._metrics.values():
            metric.reset()

    @property
    def is_empty(self) -> bool:
        """Whether no batch was added, on any rank."""
        return self.batches == 0

    def add(self, batch: TensorBatch, outcome: Outcome) -> None:
        """Adds what the model made of a batch, but for its loss, which its reader adds; waits for no device."""
        self.batches += 1
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
        """Returns loss and metrics, the counts behind them, and the seconds, of all ranks; all of them ask together."""
        self._update_metrics()
        own = [float(getattr(self, name)) for name in (*SUMS, "seconds")]
        loss, weight, sequences, steps, seconds = self._ranks.sums(np.array(own)).tolist()
        figures = {"loss": loss / weight if weight else float("nan")}
        if weight:
            figures |= {name: _figure(name, metric) for name, metric in self._metrics_of_all().items()}
        seconds /= self._ranks.num_ranks
        return figures | {"sequences": int(sequences), "steps": int(steps), "seconds": seconds}

    def state_dict(self) -> dict[str, Any]:
        """Returns all sums for a checkpoint, of each rank, on rank 0; with the rows that wait, so that saving changes no rounding."""
        own = {name: getattr(self, name) for name in SUMS} | {"loss": float(self.loss)}
        own["metrics"] = {name: saved_metric(metric) for name, metric in self._metrics.items()}
        own["waiting"] = list(self._waiting)
        return {"batches": self.batches, "seconds": self.seconds, "ranks": self._ranks.gathered_by_first(own)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from sums that `state_dict` returned; those of each rank are dealt out, if there are other ranks now."""
        self.reset()
        self.batches, self.seconds = state["batches"], state["seconds"]
        mine = state["ranks"][self._ranks.rank :: self._ranks.num_ranks]
        for name in SUMS:
            setattr(self, name, sum(saved[name] for saved in mine))
        self._waiting = [tuple(part.to(self._device) for part in rows) for saved in mine for rows in saved["waiting"]]
        self._num_waiting = sum(rows[0].numel() for rows in self._waiting)
        for name, metric in self._metrics.items():
            self._metrics[name] = joined(metric, [saved["metrics"][name] for saved in mine])

    def _metrics_of_all(self) -> Mapping[str, Metric]:
        if self._ranks.is_alone:
            return self._metrics
        every = self._ranks.gathered({name: saved_metric(metric) for name, metric in self._metrics.items()})
        return {name: joined(metric, [saved[name] for saved in every]) for name, metric in self._metrics.items()}

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
