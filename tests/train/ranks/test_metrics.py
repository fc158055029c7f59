"""Metrics that several ranks have counted, joined: the figures of one that has counted all."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics import MeanSquaredError, Metric
from torchmetrics.classification import MulticlassAccuracy

import drystone as ds
from drystone.train.ranks.metrics import counting_alone, joined, saved_metric
from drystone.train.tasks.figures import R2, RootMeanSquare
from drystone.train.tasks.forecast.mase import ScaledError
from drystone.train.tasks.joint.chosen import Chosen, Columns

KINDS: dict[str, Callable[[], Metric]] = {
    "r2": lambda: R2(2),
    "rmse": lambda: RootMeanSquare(2),
    "mse": MeanSquaredError,
    "scaled error": lambda: ScaledError(np.array([0.5, 2.0])),
}


def counted(make: Callable[[], Metric], rows: list[torch.Tensor]) -> Metric:
    metric = counting_alone(make()).set_dtype(torch.float64)
    metric.persistent(mode=True)
    for values in rows:
        metric.update(values[:, :2].contiguous(), values[:, 2:].contiguous())
    return metric


@given(
    st.sampled_from(sorted(KINDS)),
    st.lists(st.integers(0, 5), min_size=1, max_size=5).filter(lambda counts: sum(counts) > 1),
    st.sampled_from([1e-150, 1.0, 1e9, 1e150]),
    st.sampled_from([0.0, 1e6]),
)
def test_joined_metrics_say_what_one_that_saw_all_rows_says(
    kind: str, counts: list[int], unit: float, offset: float
) -> None:
    if kind in ("mse", "scaled error"):
        unit = min(max(unit, 1e-9), 1e9)
    torch.manual_seed(sum(counts))
    rows = [(torch.randn(count, 4, dtype=torch.float64) + offset) * unit for count in counts]
    whole = counted(KINDS[kind], [torch.cat(rows)])
    parts = [counted(KINDS[kind], [each] if len(each) else []) for each in rows]
    found = joined(parts[0], [saved_metric(part) for part in parts])
    torch.testing.assert_close(found.compute(), whole.compute(), rtol=1e-9, atol=0.0)
    assert parts[0].update_called == bool(counts[0])  # it stays as it was


def test_those_of_chosen_columns_are_joined_too() -> None:
    def make() -> Metric:
        columns = Columns(said=slice(0, 3), true=slice(0, 1))
        return Chosen(MulticlassAccuracy(3, average="micro"), columns, is_flat=True)

    parts = []
    for seed in range(3):
        metric = counting_alone(make())
        metric.persistent(mode=True)
        torch.manual_seed(seed)
        said, true = torch.randn(20, 3), torch.randint(0, 3, (20, 1))
        metric.update(said, true, torch.zeros(20, 2, dtype=torch.int64))
        parts.append((metric, (said.argmax(dim=1) == true[:, 0]).double().mean()))
    found = joined(parts[0][0], [saved_metric(metric) for metric, _ in parts])
    assert float(found.compute()) == pytest.approx(float(sum(each for _, each in parts)) / 3)


def test_nothing_counted_is_joined_to_nothing() -> None:
    parts = [counted(R2, []) for _ in range(2)]
    assert not joined(parts[0], [saved_metric(part) for part in parts]).update_called


class Whole(Metric):
    """Says nothing of how it is joined."""

    def __init__(self) -> None:
        super().__init__()
        self.add_state("last", torch.zeros(()))

    def update(self, preds: Any, target: Any) -> None:
        self.last = preds.sum()

    def compute(self) -> torch.Tensor:
        return self.last


def test_a_metric_that_cannot_be_joined_is_named() -> None:
    parts = [counted(Whole, [torch.ones(1, 4, dtype=torch.float64)]) for _ in range(2)]
    with pytest.raises(ds.ConfigError, match="Whole cannot be counted over several ranks: give it full_state_update"):
        joined(parts[0], [saved_metric(part) for part in parts])
