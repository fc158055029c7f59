"""Metrics over some rows and columns of what a joint model says."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torchmetrics import Metric
from torchmetrics.wrappers.abstract import WrapperMetric

from drystone.train.loop.totals import takes_places


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which numbers of a row belong together.

    Args:
        said: of a prediction.
        true: of a target; where the first is below 0, the row has none.
    """

    said: slice
    true: slice


class Chosen(WrapperMetric):
    """A metric of some columns, over the rows that have a target there.

    Args:
        metric: what is counted.
        columns: which.
        is_flat: whether a target is a single number, [rows].
    """

    def __init__(self, metric: Metric, columns: Columns, *, is_flat: bool) -> None:
        super().__init__()
        self.metric = metric
        self._columns = columns
        self._is_flat = is_flat

    def update(self, preds: Tensor, target: Tensor, places: Tensor) -> None:
        """Adds rows of predictions and targets, and the sequence and step of each."""
        true = target[:, self._columns.true]
        there = true[:, 0] >= 0
        more = (places[there],) if takes_places(self.metric) else ()
        chosen = true[there]
        self.metric.update(preds[there, self._columns.said], chosen.squeeze(1) if self._is_flat else chosen, *more)

    def compute(self) -> Any:
        """Returns what the metric says."""
        return self.metric.compute()

    def merge_state(self, incoming_state: Any) -> None:
        """Adds what another one of the same columns has counted."""
        self.metric.merge_state(incoming_state.metric)

    def reset(self) -> None:
        """Begins anew."""
        super().reset()
        self.metric.reset()

    def persistent(self, mode: bool = False) -> None:  # noqa: FBT001, FBT002 - as torchmetrics has it
        """Says whether the state is among what is saved."""
        super().persistent(mode=mode)
        self.metric.persistent(mode=mode)
