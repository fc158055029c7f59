"""Data and settings that no numbers can be learned from are named, and nothing is written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import drystone as ds
from tests.train.tasks.numbered import SMALL, regress, weighed

X = [[1.0, 2.0], [2.0], [3.0, 1.0, 2.0]] * 4


def with_target(values: Any) -> ds.Sequences:
    return ds.Sequences.from_arrays({"x": X}, {"y": values})


@pytest.mark.parametrize(
    ("values", "settings", "words"),
    [
        (["a", "b", "c"] * 4, {}, "target 'y' is text; regress learns numbers"),
        ([True, False, True] * 4, {}, "target 'y' is bool; regress learns numbers"),
        (np.ones((12, 2, 2)), {}, r"target 'y' has shape \(2, 2\) a sequence; regress learns one number, or a vector"),
        ([1.5, np.nan, 2.0] * 4, {}, "target 'y' is nan in sequence 1; numbers to learn must be finite"),
        ([[1.5, 2.0], [1.0, np.inf]] * 6, {}, r"target 'y\[1\]' is inf in sequence 1"),
        ([2.5] * 12, {}, "target 'y' is 2.5 in every training sequence, so there is nothing to learn"),
        ([0.5, 1.5] * 6, {"target": "x"}, "'x' changes in sequence 0"),
        ([0.5, 1.5] * 6, {"target": "z"}, "no field 'z'; the fields are: x, y.$"),
        ([0.5, 1.5] * 6, {"features": ("x", "y")}, "'y' is the target; it cannot be a feature too"),
        ([0.5, 1.5] * 6, {"layout": "stateful"}, "layout is 'stateful'; task regress takes padded, bucketed, packed"),
        ([0.5, 1.5] * 6, {"horizon": 2}, "horizon goes with task forecast, not with regress"),
        (
            [0.5, 1.5] * 6,
            {"task": "regress", "label_smoothing": 0.1},
            "label_smoothing goes with task classify, tag, joint or language-model, not with regress",
        ),
        ([0.5, 1.5] * 6, {"monitor": "accuracy"}, "monitor is 'accuracy'; the figures are: loss, rmse, mae, r2"),
        ([0.5, 1.5] * 6, {"test_fraction": 0.01}, "there are 12 sequences, too few for a test part of 1%"),
        (
            [0.5, 1.5] * 6,
            {"valid_fraction": 0.1, "monitor": "r2"},
            "monitor is 'r2', and the valid part has 1 sequence",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, (dict, str)) else "",
)
def test_bad_input_is_named_and_nothing_is_written(values: Any, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ds.DrystoneError, match=words):
        ds.fit(with_target(values), **{"target": "y", "task": "regress"} | SMALL | settings)
    assert list(Path().iterdir()) == []


def test_data_to_predict_and_to_evaluate_are_checked() -> None:
    run = regress(weighed())
    far = ds.Sequences.from_arrays({"x": [[[1.0, 1.0]], [[1e300, -1e300]]]}, {"kg": [1.0, 2.0]})
    for use in (run.predict, run.evaluate):
        with pytest.raises(ds.DataError, match="sequence 1 holds numbers so far from the training data"):
            use(far)
    pairs = ds.Sequences.from_arrays({"x": [[[1.0, 1.0]]]}, {"kg": [[1.0, 2.0]]})
    with pytest.raises(ds.DataError, match=r"target 'kg' has shape \(2,\) a sequence; the model says \(\)"):
        run.evaluate(pairs)
    with pytest.raises(ds.DataError, match="no field 'kg'"):
        run.evaluate(ds.Sequences.from_arrays({"x": [[[1.0, 1.0]]]}))
    assert run.predict(ds.Sequences.from_arrays({"x": [[[1.0, 1.0]]]})).num_rows == 1


@pytest.mark.parametrize("to", ["torch", "onnx", "keras"])
def test_an_export_is_refused_before_anything_is_written(to: str, tmp_path: Path) -> None:
    run = regress(weighed())
    with pytest.raises(ds.ConfigError, match="the run was trained to regress; only runs that classify can be exported"):
        run.export(tmp_path / f"m.{to}", to=to)
    assert not (tmp_path / f"m.{to}").exists()


def test_a_model_that_reads_backward_cannot_follow() -> None:
    with pytest.raises(ds.ConfigError, match="bidirectional is on"):
        regress(weighed()).predictor()
