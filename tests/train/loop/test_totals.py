"""What figures are summed from between two updates of the metrics."""

from typing import Any

import pytest
import torch
from torch import nn
from torchmetrics import MeanSquaredError

import drystone as ds
from drystone.torch import TensorBatch
from drystone.train import EpochEnded, Outcome, Recipe, Trainer
from drystone.train.loop.totals import Totals
from tests.train.loop.models import Tagger, by_step, random_sequences


def test_predictions_may_lie_in_memory_that_is_used_again() -> None:
    memory = torch.zeros(100, dtype=torch.float64)

    def reuses(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        found = by_step(model, batch, state)
        predictions = memory[: found.weight]
        predictions.copy_(found.predictions.detach())
        return Outcome(loss=found.loss, weight=found.weight, predictions=predictions, targets=found.targets)

    loader = ds.Loader(random_sequences([5, 2, 7, 3]), ds.Padded(1))
    trainer = Trainer(Tagger(), loader, reuses, Recipe(epochs=1), metrics={"mse": MeanSquaredError()})
    figures = next(event.figures for event in trainer.run() if isinstance(event, EpochEnded))
    assert figures["mse"] == pytest.approx(figures["loss"], rel=1e-12)


def test_metrics_go_on_where_they_count_whatever_device_they_come_from() -> None:
    saved = Totals({"mse": MeanSquaredError()}, torch.device("cpu")).state_dict()
    totals = Totals({"mse": MeanSquaredError()}, torch.device("meta"))
    totals.load_state_dict(saved)
    assert totals.state_dict()["ranks"][0]["metrics"]["mse"]["state"]["total"].device.type == "meta"
