"""Data and settings that no forecast can be made from are named, and nothing is written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import drystone as ds
from tests.train.tasks.series import ROWS, SMALL, forecast, waves

PLAIN = ds.Sequences.from_arrays(
    {
        "y": [np.arange(20.0)],
        "x": [np.arange(20.0)],
        "pair": [np.ones((20, 2))],
        "table": [np.ones((20, 2, 2))],
        "word": [["a"] * 20],
        "on": [[True] * 20],
    },
    {"whole": [1.5]},
)


def spoiled(value: float) -> ds.Sequences:
    y = waves().field("y").values.copy()
    y[17] = value
    return ds.Sequences.from_arrays({"y": [y], "x": [np.arange(90.0)]})


@pytest.mark.parametrize(
    ("seqs", "settings", "words"),
    [
        (
            PLAIN,
            {"target": "word"},
            "target 'word' is text a step; a forecast needs a number, or a vector of them, a step",
        ),
        (PLAIN, {"target": "table"}, r"target 'table' is float64\[2×2\] a step"),
        (PLAIN, {"target": "on"}, "target 'on' is bool a step"),
        (PLAIN, {"target": "whole"}, "target 'whole' is float64 a sequence"),
        (PLAIN, {"target": "nope"}, "no field 'nope'"),
        (PLAIN, {"target": "y,paix"}, "no field 'paix'; .* Did you mean 'pair'"),
        (PLAIN, {"known_ahead": ("y",)}, "known_ahead names 'y', the target"),
        (
            spoiled(np.nan),
            {"features": ("x",)},
            "column 'y' is nan in sequence 0, step 17; targets of forecasts must be",
        ),
        (spoiled(np.inf), {}, "column 'y' is inf in sequence 0, step 17; targets of forecasts must be finite"),
        (PLAIN, {"horizon": 19}, "horizon is 19, and the train part holds no step with 19 steps after it: .* 16 steps"),
        (PLAIN, {"horizon": 5, "test_fraction": 0.1}, "the test part holds no step with 5 steps .* has 2 steps"),
        (PLAIN, {"window": 16}, "window is 16 and horizon 3: the longest series of the training part has 16 steps"),
        (PLAIN, {"valid_fraction": 0.01}, "the valid part holds no step"),
        (PLAIN, {"horizon": 0}, "horizon is 0"),
        (PLAIN, {"layout": "packed", "rows": 4}, "rows needs steps too"),
        (PLAIN, {"align": "nope"}, "no field 'nope'; the fields are: y, x, pair, table, word, on, whole.$"),
        (PLAIN, {"context": 3, "test_fraction": 0.0}, "context is 3, and there is no validation or test part"),
        (PLAIN, {"context": 3, "split_column": "whole"}, "context is 3, and split_column states whole series"),
        (PLAIN, {"rows": 1, "lead": 3}, "lead is 3, and no series is cut: the training part has 1 sequence"),
        (PLAIN, {"window": 5, "lead": 3}, "lead goes with layout stateful, not with padded"),
        (PLAIN, {"horizon": 1, "valid_fraction": 0.05, "monitor": "r2"}, "the valid part has 1 value to score"),
        (PLAIN, ROWS | {"backprop_steps": 6}, "backprop_steps is 6; expected a whole multiple of steps, 4"),
        (PLAIN, {"base": "season"}, "base is 'season', and no season is known: .* Give season, in steps"),
        (PLAIN, {"base": "mean"}, "base is 'mean'"),
        (PLAIN, {"season": 0}, "season is 0"),
        (
            PLAIN,
            {"task": "classify", "horizon": None, "base": "last"},
            "base goes with task forecast, not with classify",
        ),
        (PLAIN, {"bidirectional": True}, "bidirectional is on; a forecast must not read backward"),
        (PLAIN, {"pooling": "max"}, "pooling goes with task classify, regress or joint, not with forecast"),
        (
            PLAIN,
            {"label_smoothing": 0.1},
            "label_smoothing goes with task classify, tag, joint or language-model, not with forecast",
        ),
        (PLAIN, {"task": "classify"}, "horizon goes with task forecast, not with classify"),
        (
            PLAIN,
            {"task": "classify", "horizon": None, "layout": "stateful"},
            "layout is 'stateful'; task classify takes padded",
        ),
        (PLAIN, {"task": "guess"}, "task is 'guess'"),
        (PLAIN, {"task": []}, r"task is \[\]"),
        (PLAIN, {"window": 5, "layout": "stateful"}, "window goes with layout padded, bucketed or packed"),
        (
            PLAIN,
            {"window": 5, "layout": "packed", "rows": 2, "steps": 4},
            "steps is 4; rows of windows of 5 steps need",
        ),
        (PLAIN, {"stride": 5, "layout": "padded"}, "stride needs window too"),
        (PLAIN, {"layout": "padded", "lead": 3}, "lead goes with layout stateful, not with padded"),
        (PLAIN, {"batch_size": 3}, "batch_size goes with layout padded, bucketed or packed, not with stateful"),
        (PLAIN, {"align": "y", "lead": 3}, "with align they stay whole. Leave out lead"),
        (PLAIN, {"align": "word"}, "field 'word' holds text"),
        (PLAIN, {"align": "pair"}, "times must be numbers or timestamps, one a step"),
        (waves((20, 30)), {"split_column": "pump"}, "expected one of train, valid, test"),
        (waves((20, 30)), {"split_column": "z"}, "'z' changes in sequence 0"),
        (PLAIN, {"monitor": "accuracy"}, "monitor is 'accuracy'; the figures are: loss, rmse, mae, r2"),
        (PLAIN, {"layout": "packed", "rows": 1, "steps": 9}, r"lengths\[0\] is 16"),
    ],
    ids=lambda value: str(value) if isinstance(value, (dict, str)) else "",
)
def test_bad_input_is_named_and_nothing_is_written(seqs: ds.Sequences, settings: dict[str, Any], words: str) -> None:
    given = {"target": "y", "task": "forecast", "horizon": 3} | SMALL | settings
    with pytest.raises(ds.DrystoneError, match=words):
        ds.fit(seqs, **given)
    assert list(Path().iterdir()) == []


def test_what_is_neither_says_how_to_choose() -> None:
    seqs = ds.Sequences.from_arrays({"n": [[1, 2, 3], [1, 1, 1]]})
    with pytest.raises(ds.DataError, match="'n' changes in sequence 0") as caught:
        ds.fit(seqs, "n", pooling="mean", **SMALL)
    (note,) = caught.value.__notes__
    assert "The task classify was chosen to suit target and settings; name another with task= (--task)" in note
    assert "forecast for the next values of a measurement" in note


COUNTS = ds.Sequences.from_arrays({"n": [np.arange(40) % 7], "x": [np.arange(40.0)]}, {"kind": ["a"]})


@pytest.mark.parametrize(
    "settings",
    [
        {"horizon": 3},
        {"layout": "stateful"},
        {"window": 5},
        {"align": "x"},
        {"rows": 2, "steps": 3, "lead": 3},
        {"context": 4},
        {"backprop_steps": 128},
    ],
    ids=str,
)
def test_settings_that_only_forecasts_have_choose_them(settings: dict[str, Any]) -> None:
    assert ds.fit(COUNTS, "n", **SMALL | settings).settings.task == "forecast"


@pytest.mark.parametrize(
    ("target", "settings"),
    [
        ("kind", {"layout": "stateful"}),
        ("n", {"pooling": "mean"}),
        ("kind", {"horizon": 3}),
        ("n", {"horizon": 3, "pooling": "mean"}),
        ("x", {"horizon": 3, "pooling": "mean"}),
    ],
    ids=str,
)
def test_a_task_that_does_not_suit_says_how_to_name_another(target: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ds.DrystoneError) as caught:
        ds.fit(COUNTS, target, **SMALL | settings)
    (note,) = caught.value.__notes__
    assert "name another with task= (--task)" in note


@pytest.mark.parametrize("settings", [{"horizon": 39}, {"valid_fraction": 0.001}, {"features": ("nope",)}], ids=str)
def test_other_errors_do_not_speak_of_the_task(settings: dict[str, Any]) -> None:
    with pytest.raises(ds.DrystoneError) as caught:
        ds.fit(COUNTS, "x", **SMALL | settings)
    assert not hasattr(caught.value, "__notes__")
    with pytest.raises(ds.DataError, match="is nan") as caught:
        ds.fit(spoiled(np.nan), "y", **SMALL)
    assert not hasattr(caught.value, "__notes__")


def test_series_shorter_than_a_window_are_told_of() -> None:
    with pytest.warns(
        UserWarning, match="2 sequences of the training part with 9 steps are shorter than a window of 5"
    ):
        forecast(waves((60, 3, 6, 40)), window=5, test_fraction=0.0)


def test_parts_stated_by_a_field_take_no_share_of_time() -> None:
    seqs = ds.Sequences.from_arrays({"y": [np.arange(20.0)] * 3}, {"part": ["train", "test", "train"]})
    with pytest.raises(
        ds.ConfigError, match="valid_fraction is 0.2, a share of time, and split_column states whole series"
    ):
        forecast(seqs, split_column="part", valid_fraction=0.2)
    with pytest.raises(ds.ConfigError, match='no sequence has "valid" in .part.; say "valid" of some.$'):
        forecast(seqs, split_column="part", patience=2)


def test_data_to_predict_are_checked() -> None:
    run = forecast(waves(), **ROWS)
    with pytest.raises(ds.DataError, match="no field 'z'"):
        run.predict(ds.Sequences.from_arrays({"y": [[1.0, 2.0]]}))
    with pytest.raises(ds.DataError, match="horizon is 3, and it holds no step with 3 steps after it"):
        run.evaluate(waves((3,)))
    far = ds.Sequences.from_arrays({"y": [[1.0, 1e300, 2.0]], "z": [[0.0, 1e300, 0.0]]})
    with pytest.raises(ds.DataError, match="sequence 0, step 1 holds numbers so far from the training data"):
        run.predict(far)
    with pytest.raises(ds.DataError, match="column 'y' is nan in sequence 0, step 1"):
        run.predict(ds.Sequences.from_arrays({"y": [[1.0, np.nan]], "z": [[0.0, 0.0]]}))


@pytest.mark.parametrize("to", ["torch", "onnx", "keras"])
def test_an_export_is_refused_before_anything_is_written(to: str, tmp_path: Path) -> None:
    run = forecast(waves(), **ROWS)
    with pytest.raises(
        ds.ConfigError, match="the run was trained to forecast; only runs that classify can be exported"
    ):
        run.export(tmp_path / f"m.{to}", to=to)
    assert not (tmp_path / f"m.{to}").exists()


def test_a_part_that_is_too_short_is_measured_without_what_came_before_it() -> None:
    with pytest.raises(ds.DataError, match="the valid part holds no step .* the longest sequence has 18 steps there"):
        forecast(waves((90,)), valid_fraction=0.2, horizon=30, **ROWS)
