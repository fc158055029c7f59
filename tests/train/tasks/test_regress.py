"""What a regressor is trained on, what it is measured by, and what it predicts."""

import json
from typing import Any

import numpy as np
import pytest
import torch

import drystone as ds
from drystone.train import Run
from drystone.train.follow.start import followed_by
from tests.train.tasks.numbered import SMALL, numbers_said, regress, weighed

LAYOUTS = [
    {"layout": "padded", "batch_size": 3},
    {"layout": "bucketed", "cells": 40},
    {"layout": "packed", "rows": 3, "steps": 20},
    {"layout": "packed", "batch_size": 9},
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("target", ["kg", "pair"])
def test_every_layout_trains_and_opens_again(layout: dict[str, Any], target: str) -> None:
    seqs = weighed()
    run = regress(seqs, target, valid_fraction=0.2, **layout)
    assert [record["part"] for record in run.metrics] == ["train", "valid", "train", "valid", "test"]
    opened = Run.open(run.path)
    assert (opened.settings, opened.schema, opened.settings.task) == (run.settings, run.schema, "regress")
    assert opened.predict(seqs).equals(run.predict(seqs))
    test = opened.evaluate(opened.part(seqs, "test"))
    assert {name: run.metrics[-1][name] for name in ("rmse", "mae", "r2", "loss")} == {
        name: getattr(test, name) for name in ("rmse", "mae", "r2", "loss")
    }


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "mean+max"])
def test_predictions_are_those_of_one_sequence_after_the_other_in_units(pooling: str) -> None:
    seqs = weighed()
    run = regress(seqs, "pair", pooling=pooling)
    np.testing.assert_allclose(numbers_said(run, seqs), np.stack([plain(run, found["x"]) for found in seqs]), rtol=1e-5)


def plain(run: Run, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """One sequence through `nn.LSTM`, in the units of the target."""
    model: Any = run.model
    lstm = torch.nn.LSTM(2, model.lstm.hidden_size, batch_first=True, bidirectional=True)
    lstm.load_state_dict(model.lstm.state_dict())
    with torch.no_grad():
        output, (h, _) = lstm(((torch.from_numpy(x) - model.mean) / model.spread).float()[None])
        pools = {"last": h[:, 0].flatten(), "mean": output[0].mean(dim=0), "max": output[0].amax(dim=0)}
        said = model.head(torch.cat([pools[how] for how in model.poolings])).double()
    return (said * model.target_spread + model.target_mean).numpy()


@pytest.mark.parametrize("target", ["kg", "pair"])
def test_figures_are_those_of_the_predictions(target: str) -> None:
    seqs = weighed(offset=1e6)
    run = regress(seqs, target)
    scores: Any = run.evaluate(seqs)
    truth = seqs.field(target).values.reshape(40, -1)
    errors = numbers_said(run, seqs) - truth
    train = truth[run.split.train]
    assert scores.sequences == 40
    assert scores.rmse == pytest.approx(np.sqrt((errors**2).mean()))
    assert scores.mae == pytest.approx(np.abs(errors).mean())
    assert scores.r2 == pytest.approx(
        (1 - (errors**2).sum(axis=0) / ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)).mean()
    )
    assert scores.loss == pytest.approx(((errors / train.std(axis=0)) ** 2).mean(), rel=1e-4)


def test_it_learns_in_original_units() -> None:
    seqs = weighed(300)
    run = regress(seqs, **SMALL | {"epochs": 20, "hidden_size": 12})
    scores: Any = run.evaluate(run.part(seqs, "test"))
    assert scores.r2 > 0.95
    assert scores.rmse < 7
    assert abs(np.mean(numbers_said(run, seqs)) - 500) < 20


def test_targets_are_scaled_with_the_training_part_only() -> None:
    def model(scale: float) -> Any:
        seqs = weighed()
        kg, is_test = seqs.field("kg").values.copy(), np.arange(40) >= 30
        kg[is_test] *= scale
        per_sequence = {"kg": kg, "part": np.where(is_test, "test", "train").tolist()}
        made = ds.Sequences.from_arrays({"x": [found["x"] for found in seqs]}, per_sequence)
        return regress(made, split_column="part").model

    plain_one, other = model(1.0), model(7.0)
    assert plain_one.target_mean.item() == pytest.approx(weighed().field("kg").values[:30].mean())
    assert plain_one.target_spread.item() == pytest.approx(weighed().field("kg").values[:30].std())
    for name, value in plain_one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), "training saw the test part"


def test_predictions_are_one_row_a_sequence() -> None:
    seqs = weighed()
    table = regress(seqs).predict(seqs)
    assert table.column_names == ["sequence", "animal", "prediction"]
    assert table["animal"].to_pylist() == [f"a{number}" for number in range(40)]
    run = regress(seqs, "pair")
    assert run.predict(seqs).column_names == ["sequence", "animal", "prediction_0", "prediction_1"]
    assert json.loads((run.path / "schema.json").read_text())["outputs"] == {"numbers": [2]}
    assert repr(run).startswith("Run('runs/run-2': 'pair', 2 numbers a sequence, 2 epochs, test rmse ")


def test_streams_are_followed_in_units() -> None:
    run = regress(weighed(), bidirectional=False)
    follower, _, _ = followed_by(run, None, max_streams=None, forget_after=None)
    x = weighed()[3]["x"]
    lines = [json.dumps({"stream": "s", "x": step.tolist()}).encode() + b"\n" for step in x]
    answers = [answer for line in lines for answer in follower.take([line], 0.0).answers]
    prefixes = ds.Sequences.from_arrays({"x": [x[: step + 1] for step in range(len(x))]})
    expected = run.predict(prefixes)["prediction"].to_pylist()
    assert [answer["prediction"] for answer in answers] == pytest.approx(expected, rel=1e-5)


def test_parts_are_drawn_at_random_by_sequence() -> None:
    split = regress(weighed(), valid_fraction=0.25).split
    parts = [split.train.tolist(), split.valid.tolist(), split.test.tolist()]
    assert [len(part) for part in parts] == [22, 10, 8]
    assert sorted([*parts[0], *parts[1], *parts[2]]) == list(range(40))
    assert parts[2] != list(range(32, 40))
    assert regress(weighed(), valid_fraction=0.25).split.test.tolist() == parts[2]
    assert regress(weighed(), valid_fraction=0.25, seed=1).split.test.tolist() != parts[2]


def test_a_target_may_be_stated_at_every_step() -> None:
    seqs = weighed()
    x, kg = [found["x"] for found in seqs], seqs.field("kg").values
    by_step = ds.Sequences.from_arrays(
        {"x": x, "kg": [[value] * len(found) for value, found in zip(kg, x, strict=True)]}
    )
    run = regress(by_step)
    assert run.settings.task == "regress"
    assert run.schema.features.names == ("x",)
    assert torch.equal(run.model.target_mean, regress(seqs).model.target_mean)
    assert np.array_equal(numbers_said(run, by_step), numbers_said(run, seqs))


CHOSEN = [
    ([0.5, 1.0] * 20, "regress"),
    ([1.0, 2.0] * 20, "classify"),
    ([1, 2] * 20, "classify"),
    (list(range(40)), "regress"),
    ([float(number) for number in range(40)], "regress"),
    ([number % 20 for number in range(40)], "classify"),
    (["a", "b"] * 20, "classify"),
    ([True, False] * 20, "classify"),
    ([[0.5, 1.0], [2.0, 3.0]] * 20, "regress"),
    ([[0, 1], [2, 3]] * 20, "regress"),
    ([[0, 1], [1, 0]] * 20, "classify"),
    ([[0.0, 1.0], [1.0, 0.0]] * 20, "classify"),
    ([[True, False], [False, True]] * 20, "classify"),
]


@pytest.mark.parametrize(("values", "task"), CHOSEN, ids=str)
def test_the_target_decides_the_task(values: Any, task: str) -> None:
    seqs = ds.Sequences.from_arrays({"x": [[float(number), 2.0] for number in range(40)]}, {"y": values})
    assert ds.fit(seqs, "y", **SMALL).settings.task == task


@pytest.mark.parametrize(
    "settings", [{"label_smoothing": 0.1}, {"class_weights": "balanced"}, {"task": "classify"}], ids=str
)
def test_settings_decide_before_the_target(settings: dict[str, Any]) -> None:
    seqs = ds.Sequences.from_arrays(
        {"x": [[float(number), 2.0] for number in range(40)]}, {"y": [number // 2 for number in range(40)]}
    )
    assert ds.fit(seqs, "y", test_fraction=0.0, **SMALL | settings).settings.task == "classify"
    assert ds.fit(seqs, "y", task="regress", **SMALL).settings.task == "regress"
