"""Objectives and metrics of people's own that cannot be used are named in words."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import jaxtyping
import pytest
import torch
from torch import nn
from torchmetrics import Metric
from torchmetrics.regression import MeanSquaredError

import drystone as ds
from drystone.torch import TensorBatch
from drystone.train import Evaluator, Outcome, Recipe, Trainer
from tests.train.loop.models import Tagger, by_sequence, by_step, random_sequences


@pytest.fixture(autouse=True)
def as_users_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What users see: they run without the checks of types that these tests add."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def changed(name: str, make: Any) -> Any:
    """An objective whose outcome has another value under one name."""

    def objective(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        outcome = by_step(model, batch, state)
        kept = {field.name: getattr(outcome, field.name) for field in fields(outcome)}
        return Outcome(**(kept | {name: make(kept[name])}))

    return objective


def train(objective: Any, metrics: Mapping[str, Metric] | None = None) -> None:
    loader = ds.Loader(random_sequences([3, 4]), ds.Padded(2))
    for _ in Trainer(Tagger(), loader, objective, Recipe(epochs=1), metrics=metrics).run():
        pass


def evaluate(objective: Any, metrics: Mapping[str, Metric] | None = None) -> None:
    Evaluator(objective, ds.Loader(random_sequences([3, 4]), ds.Padded(2)), metrics).figures(Tagger())


BAD_OBJECTIVES = [
    (lambda *given: by_step(*given).loss, r"must return Outcome\(.*; it returned a tensor of shape \[\]"),
    (lambda *_given: None, "it returned NoneType"),
    (changed("loss", lambda loss: loss.item()), "loss must be a scalar tensor.*got float"),
    (changed("loss", lambda loss: loss.repeat(3)), r"got a tensor of shape \[3\]"),
    (changed("weight", torch.tensor), "weight must be a finite number ≥ 0, and no tensor"),
    (changed("weight", lambda _: -1), "weight must be.*got -1"),
    (changed("weight", lambda _: float("nan")), "weight must be.*got nan"),
    (
        changed("predictions", lambda found: found.detach().numpy()),
        "predictions must be a tensor, or be left out; got ndarray",
    ),
]
BAD_METRICS = [
    ({"loss": MeanSquaredError()}, by_step, "a metric is named 'loss'"),
    ({"error": abs}, by_step, "metric 'error' must be a torchmetrics.Metric; got builtin_function"),
    ([MeanSquaredError()], by_step, "metrics must be a dict .* got list"),
    ({"error": MeanSquaredError()}, changed("targets", lambda _: None), r"metrics \(error\) need Outcome"),
    ({"error": MeanSquaredError()}, by_sequence, r"metrics \(error\) need Outcome\(..., predictions=, targets=\)"),
]


@pytest.mark.parametrize("use", [train, evaluate])
@pytest.mark.parametrize(("objective", "words"), BAD_OBJECTIVES)
def test_an_objective_that_returns_something_else_is_refused(use: Any, objective: Any, words: str) -> None:
    with pytest.raises(ds.ConfigError, match=words):
        use(objective)


def test_a_loss_without_a_gradient_cannot_be_trained_on() -> None:
    detached = changed("loss", torch.Tensor.detach)
    evaluate(detached)
    with pytest.raises(ds.ConfigError, match="the loss has no gradient"):
        train(detached)


@pytest.mark.parametrize("use", [train, evaluate])
@pytest.mark.parametrize(("metrics", "objective", "words"), BAD_METRICS)
def test_a_metric_that_cannot_count_is_refused(use: Any, metrics: Any, objective: Any, words: str) -> None:
    with pytest.raises(ds.ConfigError, match=words):
        use(objective, metrics)


def test_an_error_of_a_metric_names_it() -> None:
    with pytest.raises(RuntimeError, match="same shape") as raised:  # torchmetrics' own words
        evaluate(changed("targets", lambda found: found[:-1]), {"error": MeanSquaredError()})
    (note,) = raised.value.__notes__
    assert note == "It came from metric 'error', updated with predictions [7] and targets [6]."
