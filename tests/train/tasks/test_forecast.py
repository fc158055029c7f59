"""What a forecaster is trained on, what it is measured by, and what it predicts."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

import drystone as ds
from drystone.core.loader import Loader
from drystone.torch.batch import batches
from drystone.train import Run
from tests.train.tasks.series import ROWS, SMALL, forecast, forecasts_of, waves

KINDS = [
    ROWS,
    {"layout": "padded", "batch_size": 2},
    {"layout": "packed", "rows": 2, "steps": 90},
    {"window": 4, "stride": 2},
    {"window": 4, "layout": "packed", "rows": 2, "steps": 20},
    {"window": 4, "layout": "bucketed"},
    {"align": "time", "steps": 5},
    ROWS | {"rows": 4, "lead": 0, "num_layers": 2},
    ROWS | {"backprop_steps": 8},
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_layout_trains_and_opens_again(kind: dict[str, Any]) -> None:
    seqs = waves((60, 90, 40))
    run = forecast(seqs, valid_fraction=0.2, **kind)
    assert [record["part"] for record in run.metrics] == ["train", "valid", "train", "valid", "test"]
    opened = Run.open(run.path)
    assert (opened.settings, opened.schema) == (run.settings, run.schema)
    assert opened.predict(seqs).equals(run.predict(seqs))
    test = opened.evaluate(opened.part(seqs, "test"))
    assert [test.rmse, test.mae, test.r2, test.loss] == [
        run.metrics[-1][name] for name in ("rmse", "mae", "r2", "loss")
    ]


def test_it_learns() -> None:
    seqs = waves((600,))
    run = forecast(seqs, **ROWS | SMALL | {"epochs": 25, "hidden_size": 12, "steps": 16})
    assert run.evaluate(run.part(seqs, "test")).r2 > 0.95
    windows = forecast(seqs, window=16, epochs=6, hidden_size=12)
    assert windows.evaluate(windows.part(seqs, "test")).r2 > 0.95


def plain_forecasts(run: Run, x: np.ndarray[Any, Any], state: Any = None) -> np.ndarray[Any, Any]:
    """One sequence through `nn.LSTM`, in the units of the target; of a run without a base."""
    model = run.model
    lstm = torch.nn.LSTM(2, model.lstm.hidden_size, batch_first=True)
    lstm.load_state_dict(model.lstm.state_dict())
    scaled = (torch.from_numpy(x) - model.mean) / model.spread
    with torch.no_grad():
        output, _ = lstm(scaled.float()[None], state)
        scaled = model.head(output)[0].double()
    return (scaled * model.target_spread + model.target_mean).numpy()


def columns(found: Any) -> np.ndarray[Any, Any]:
    return np.column_stack([found["y"], found["z"]])


def test_predictions_are_one_row_a_step_in_order_and_units() -> None:
    seqs = waves((30, 7, 55))
    run = forecast(seqs, base="none", **ROWS)
    table = run.predict(seqs)
    assert table.column_names == ["sequence", "pump", "step", "time", "y+1", "y+2", "y+3"]
    assert table["sequence"].to_pylist() == [0] * 30 + [1] * 7 + [2] * 55
    assert table["pump"].to_pylist() == ["p0"] * 30 + ["p1"] * 7 + ["p2"] * 55
    assert table["step"].to_pylist() == [*range(30), *range(7), *range(55)]
    assert table["time"].to_pylist() == seqs.field("time").values.tolist()
    expected = np.concatenate([plain_forecasts(run, columns(found)) for found in seqs])
    np.testing.assert_allclose(forecasts_of(run, seqs), expected, rtol=1e-5)
    assert np.abs(expected - 1000).max() < 300


def test_predictions_of_windows_read_no_more_than_a_window() -> None:
    seqs = waves((30, 4))
    run = forecast(seqs, window=5, base="none")
    found = [columns(each) for each in seqs]
    expected = [plain_forecasts(run, x[max(0, step - 4) : step + 1])[-1] for x in found for step in range(len(x))]
    np.testing.assert_allclose(forecasts_of(run, seqs), expected, rtol=1e-5)


@pytest.mark.parametrize("cells", [1, 7, 1 << 14])
def test_no_prediction_depends_on_how_it_is_cut(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seqs = waves((30, 7, 55))
    run = forecast(seqs, **ROWS)
    expected, scores = forecasts_of(run, seqs), run.evaluate(run.part(seqs, "test"))
    monkeypatch.setattr("drystone.train.layouts.PREDICTION_CELLS", cells)
    monkeypatch.setattr("drystone.train.layouts.PREDICTION_ROWS", 1 if cells < 10 else 2)
    np.testing.assert_allclose(forecasts_of(run, seqs), expected, rtol=1e-5)
    assert run.evaluate(run.part(seqs, "test")).rmse == pytest.approx(scores.rmse, rel=1e-5)


@pytest.mark.parametrize("settings", [ROWS, {"window": 6}, ROWS | {"context": 9}], ids=str)
def test_figures_are_those_of_the_predictions_in_units(settings: dict[str, Any]) -> None:
    seqs = waves((90,))
    run = forecast(seqs, valid_fraction=0.1, test_fraction=0.3, **settings)
    scores = run.evaluate(run.part(seqs, "test"))
    y = seqs.field("y").values
    at = np.arange(63 - 1, 90 - 3)  # the first target is the first step of the part, the last the last of the series
    inputs = seqs if "context" not in settings else run.part(seqs, "test")
    predicted = forecasts_of(run, inputs)[at - (90 - inputs.num_steps)]
    truth = np.stack([y[at + ahead] for ahead in (1, 2, 3)], axis=1)
    errors = predicted - truth
    assert (scores.sequences, scores.steps) == (1, len(at))
    assert scores.rmse == pytest.approx(np.sqrt((errors**2).mean()))
    assert scores.mae == pytest.approx(np.abs(errors).mean())
    assert scores.r2 == pytest.approx(1 - (errors**2).sum() / ((truth - truth.mean()) ** 2).sum())
    assert scores.loss == pytest.approx((errors**2).mean() / y[:54].std() ** 2, rel=1e-5)


def test_statistics_come_from_the_training_part_only() -> None:
    def model(scale: float) -> Any:
        y = waves().field("y").values.copy()
        y[60:] *= scale
        return forecast(ds.Sequences.from_arrays({"y": [y]}), test_fraction=1 / 3, **ROWS).model

    plain, other = model(1.0), model(7.0)
    for name in ("mean", "spread", "target_mean", "target_spread"):
        assert torch.equal(getattr(plain, name), getattr(other, name))
    assert plain.target_mean.item() == pytest.approx(waves().field("y").values[:60].mean())
    for one, two in zip(plain.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two), "training saw the test part"


def scored_targets(loader: Loader, epochs: int = 1) -> list[float]:
    """Every target of every scored step, as often as training sees it."""
    return [
        value
        for _ in range(epochs)
        for batch in batches(loader)
        for value in batch[next(reversed(dict(loader.seqs.ahead_fields)))][batch.scored].reshape(-1).tolist()
    ]


@pytest.mark.parametrize("lengths", [(90,), (33, 52), (20, 30, 40, 50)])
@pytest.mark.parametrize("rows", [1, 3, 8])
def test_every_step_is_trained_on_once_an_epoch(lengths: tuple[int, ...], rows: int) -> None:
    from drystone.train.prepare import prepare
    from drystone.train.settings import Settings

    seqs = waves(lengths)
    settings = Settings.of(target="y", task="forecast", horizon=2, rows=rows, steps=5, test_fraction=0.25)
    prepared = prepare(seqs, settings)
    assert prepared.loader.plan.shape(0)[0] == rows
    runs = prepared.split.runs["train"]
    expected = [
        seqs[number]["y"][step + ahead]
        for number, offset, length in zip(runs.sequence, runs.offset, runs.length, strict=True)
        for step in range(offset, offset + length - 2)
        for ahead in (1, 2)
    ]
    assert sorted(scored_targets(prepared.loader)) == sorted(expected)


def test_the_split_is_saved_and_shown() -> None:
    seqs = waves((90,))
    run = forecast(seqs, valid_fraction=0.1, **ROWS)
    split = pq.read_table(run.path / "split.parquet").to_pydict()
    assert split == {
        "sequence": [0, 0, 0],
        "part": ["train", "valid", "test"],
        "offset": [0, 63, 72],
        "length": [63, 9, 18],
    }
    assert run.split.in_words() == "train 63 steps, valid 9 steps, test 18 steps"
    schema = json.loads((run.path / "schema.json").read_text())
    assert (schema["outputs"]["horizon"], schema["outputs"]["shape"], schema["target"]) == (3, [], "y")
    assert repr(run).startswith("Run('runs/run-1': the next 3 values of 'y', 2 epochs, test rmse ")


def test_whole_series_are_parts_where_a_field_says_so() -> None:
    found = waves((30, 40, 50))
    per_step = {"y": [each["y"] for each in found]}
    seqs = ds.Sequences.from_arrays(per_step, {"part": ["train", "test", "valid"]})
    run = forecast(seqs, split_column="part", patience=9, **ROWS)
    assert [getattr(run.split, name).tolist() for name in ("train", "valid", "test")] == [[0], [2], [1]]
    assert run.evaluate(run.part(seqs, "test")).steps == 37
    with pytest.raises(ds.ConfigError, match="these are not the data that .* was made from"):
        run.part(seqs[:2], "test")


def test_the_target_decides_the_task() -> None:
    y = [[1.5 + number, 2.0, 3.5 - number] for number in range(16)]
    arrays = {"y": y, "c": [[1, 1, 1], [2, 2, 2]] * 8}
    seqs = ds.Sequences.from_arrays(arrays, {"whole": [1.0, 2.0] * 8, "kg": [1.0, 2.5] * 8})
    tasks = {target: ds.fit(seqs, target, **SMALL).settings.task for target in ("y", "c", "whole", "kg")}
    assert tasks == {"y": "forecast", "c": "classify", "whole": "classify", "kg": "regress"}
    run = ds.fit(seqs, "y", features=("c",), **SMALL)
    assert run.schema.features.names == ("c",)
    assert run.predict(ds.Sequences.from_arrays({"c": [[1, 1]]})).num_rows == 2


def test_evaluating_and_predicting_disturb_no_training() -> None:
    seqs = waves()
    first = forecast(seqs, keep="last", evaluate_every=2, valid_fraction=0.1, **ROWS)
    second = forecast(seqs, keep="last", evaluate_every=1, valid_fraction=0.1, **ROWS)
    assert weights(first.path) == weights(second.path)


def weights(path: Path) -> bytes:
    return (path / "weights.safetensors").read_bytes()


def test_a_field_of_the_user_may_have_any_name() -> None:
    found = waves((40,))[0]
    seqs = ds.Sequences.from_arrays({"y": [found["y"]], "y ahead": [found["z"]], "y ahead'": [found["z"]]})
    run = forecast(seqs, **ROWS)
    assert run.schema.features.names == ("y", "y ahead", "y ahead'")
    assert run.evaluate(run.part(seqs, "test")).steps == 6


def test_rows_alone_are_enough_for_rows_that_carry_state() -> None:
    run = forecast(waves((90,)), rows=4, layout="stateful")
    assert (run.settings.rows, run.settings.steps) == (4, None)


def test_parts_may_be_stated_at_every_step() -> None:
    found = waves((30, 20))
    per_step = {"y": [each["y"] for each in found], "part": [["train"] * 30, ["test"] * 20]}
    seqs = ds.Sequences.from_arrays(per_step)
    run = forecast(seqs, split_column="part", **ROWS)
    assert [run.split.train.tolist(), run.split.test.tolist()] == [[0], [1]]


def test_the_test_part_chooses_neither_inputs_nor_season() -> None:
    """A flag that rises, and an hour that is left out, after the training part leave what is trained as it is."""
    times = np.arange("2024-01-01", "2024-01-05", dtype="M8[h]")
    y = np.sin(np.arange(96) / 4)
    found = []
    for flag, gap in ((0.0, 0), (1.0, 1)):
        last = np.arange(96) >= 90
        per_step = {"y": [y], "flag": [flag * last], "time": [times + (gap * last).astype("m8[h]")]}
        seqs = replace(ds.Sequences.from_arrays(per_step), order_by="time")
        run = forecast(seqs, **ROWS)
        found.append((run.schema.features.names, run.schema.outputs, run.model.state_dict()))
    assert found[0][0] == ("y",)
    assert found[0][:2] == found[1][:2]
    assert all(torch.equal(value, found[1][2][name]) for name, value in found[0][2].items())


def test_a_target_that_never_changes_in_training_is_an_input_all_the_same() -> None:
    seqs = ds.Sequences.from_arrays({"y": [np.concatenate([np.ones(70), np.arange(20.0)])]})
    assert forecast(seqs, **ROWS).schema.features.names == ("y",)
