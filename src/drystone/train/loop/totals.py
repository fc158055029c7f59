"""Figures as sums over sums: what single batches add to, whatever the layout and the size of a batch."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from drystone.core.errors import ConfigError
from drystone.torch.batch import TensorBatch
from drystone.train.loop.objective import Outcome


class Totals:
    """Sums of loss, weight, counts and seconds, and the state of metrics.

    Args:
        metrics: under the names of their figures; copies count here, in float64.
        device: where the metrics count.
    """

    def __init__(self, metrics: Mapping[str, Metric] | None, device: torch.device) -> None:
        self._metrics = {
            name: deepcopy(metric).to(device).set_dtype(torch.float64) for name, metric in (metrics or {}).items()
        }
        for metric in self._metrics.values():
            metric.persistent(mode=True)
        self.loss: Tensor | float = 0.0
        self.weight = 0.0
        self.sequences = 0
        self.steps = 0
        self.seconds = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether no batch was added."""
        return self.steps == 0

    def add(self, batch: TensorBatch, outcome: Outcome) -> None:
        """Adds what the model made of a batch; waits for no device."""
        self.loss = self.loss + outcome.loss.detach().double()
        self.weight += outcome.weight
        self.sequences += len(batch.host.ends)
        self.steps += int(batch.host.valid.sum())
        if self._metrics and outcome.predictions is not None and len(outcome.predictions):
            for metric in self._metrics.values():
                metric.update(outcome.predictions.detach(), outcome.targets)

    def figures(self) -> dict[str, float]:
        """Returns loss and metrics, the counts behind them, and the seconds."""
        figures = {"loss": float(self.loss) / self.weight if self.weight else float("nan")}
        if self.weight:
            figures |= {name: _number(name, metric.compute()) for name, metric in self._metrics.items()}
        return figures | {"sequences": self.sequences, "steps": self.steps, "seconds": self.seconds}

    def state_dict(self) -> dict[str, Any]:
        """Returns all sums, for a checkpoint."""
        counts = {name: getattr(self, name) for name in ("weight", "sequences", "steps", "seconds")}
        metrics = {name: metric.state_dict() for name, metric in self._metrics.items()}
        return counts | {"loss": float(self.loss), "metrics": metrics}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from sums that `state_dict` returned."""
        for name in ("loss", "weight", "sequences", "steps", "seconds"):
            setattr(self, name, state[name])
        for name, metric in self._metrics.items():
            metric.load_state_dict(state["metrics"][name])
            metric._update_count = int(self.steps > 0)  # else it warns that nothing was counted


def _number(name: str, value: Any) -> float:
    if not isinstance(value, Tensor) or value.numel() != 1:
        shape = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise ConfigError(f"metric {name!r} gives {shape}; a figure is one number. Ask it for an average.")
    return float(value)
