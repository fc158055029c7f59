"""Trivial predictions are scored where the model is, and know the training part only."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import drystone as ds
from drystone.train import Run
from drystone.train.watch.metrics_log import MetricsLog, read_metrics
from tests.train.tasks.numbered import SMALL, regress, weighed
from tests.train.tasks.series import ROWS, forecast, waves


def figures(predictions: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]) -> dict[str, Any]:
    errors = predictions - truth
    r2 = 1 - (errors**2).sum(axis=0) / ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    found = {"rmse": np.sqrt((errors**2).mean()), "mae": np.abs(errors).mean(), "r2": np.mean(r2)}
    return {name: pytest.approx(float(value)) for name, value in found.items()}


def labelled(labels: list[str], parts: list[str]) -> ds.Sequences:
    x = [number + np.arange(2.0 + number % 3) for number in range(len(labels))]
    return ds.Sequences.from_arrays({"x": x}, {"way": labels, "part": parts})


def test_the_majority_class_is_that_of_the_training_part() -> None:
    seqs = labelled(["a"] * 4 + ["b"] * 5 + ["a"] * 7 + ["b"], ["train"] * 9 + ["test"] * 8)
    run = ds.fit(seqs, "way", split_column="part", **SMALL)
    share = {"a": 4.5 / 10, "b": 5.5 / 10}
    expected = {
        "majority class": {
            "accuracy": 1 / 8,
            "f1": pytest.approx((0 + 2 / (2 + 7)) / 2),
            "loss": pytest.approx(-(7 * np.log(share["a"]) + np.log(share["b"])) / 8),
        }
    }
    assert run.metrics[-1]["baselines"] == expected
    opened = Run.open(run.path)
    assert opened.evaluate(opened.part(seqs, "test")).baselines == expected
    assert opened.evaluate(seqs).baselines["majority class"]["accuracy"] == pytest.approx(6 / 17)


@pytest.mark.parametrize("target", ["kg", "pair"])
def test_the_mean_is_that_of_the_training_part(target: str) -> None:
    seqs = weighed(offset=1e6)
    run = Run.open(regress(seqs, target).path)
    truth = seqs.field(target).values.reshape(40, -1)
    mean = truth[run.split.train].mean(axis=0)
    for part, chosen in (("test", run.split.test), ("train", run.split.train)):
        found = run.evaluate(run.part(seqs, part)).baselines
        assert found == {"mean": figures(np.broadcast_to(mean, truth[chosen].shape), truth[chosen])}
    assert run.metrics[-1]["baselines"] == run.evaluate(run.part(seqs, "test")).baselines


@pytest.mark.parametrize("settings", [ROWS, {"window": 6}, ROWS | {"context": 9, "features": ("z",)}], ids=str)
def test_the_last_value_is_repeated_where_forecasts_are_scored(settings: dict[str, Any]) -> None:
    seqs = waves((90,))
    run = forecast(seqs, test_fraction=0.3, **settings)
    y = seqs.field("y").values
    at = np.arange(63 - 1, 90 - 3)
    truth = np.concatenate([y[at + ahead] for ahead in (1, 2, 3)])
    found = run.evaluate(run.part(seqs, "test"))
    expected = figures(np.tile(y[at], 3), truth)
    expected["mase"] = pytest.approx(np.abs(np.tile(y[at], 3) - truth).mean() / np.abs(np.diff(y[:63])).mean())
    assert found.baselines == {"last value": expected}
    assert run.metrics[-1]["baselines"] == found.baselines


def test_each_figure_stands_beside_its_baseline() -> None:
    run = regress(weighed())
    scores = {
        "loss": 0.5,
        "rmse": 2.0,
        "mae": 1.0,
        "baselines": {"mean": {"rmse": 30.0}, "other": {"rmse": 4.0, "mae": 3.0}},
    }
    assert run.task.in_words(scores) == ["rmse 2  (mean: 30, other: 4)", "mae 1  (other: 3)", "loss 0.5000"]
    del scores["baselines"]
    assert run.task.in_words(scores)[0] == "rmse 2"


def test_a_baseline_that_is_no_number_is_null_in_the_file(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.add("test", 1, 1, {"loss": 1.0, "steps": 1, "seconds": 1.0}, {"mean": {"r2": float("nan"), "rmse": 2.0}})
    assert '"baselines": {"mean": {"r2": null, "rmse": 2.0}}' in log.path.read_text()
    (record,) = read_metrics(log.path)
    assert np.isnan(record["baselines"]["mean"]["r2"])
