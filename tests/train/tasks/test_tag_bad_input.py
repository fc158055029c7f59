"""Data and settings that no tagger can be made from are named, and nothing is written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import drystone as ds
from tests.train.tasks.test_tag import SMALL, tagged

SEQS = tagged()


def spoiled(**fields: Any) -> ds.Sequences:
    per_step = {"x": [[1.0, 2.0, 0.5]] * 5, "y": [[1.0, 2.0, 3.0]] * 5} | fields
    return ds.Sequences.from_arrays(per_step)


@pytest.mark.parametrize(
    ("seqs", "settings", "words"),
    [
        (SEQS, {"target": "id"}, "target 'id' is text a sequence; tag learns something at every step"),
        (SEQS, {"target": "nope"}, "no field 'nope'"),
        (SEQS, {"target": "word", "features": ("word",)}, "field 'word' is the target; it cannot be a feature too"),
        (
            SEQS,
            {"target": "keys", "ahead": 1, "bidirectional": True},
            "bidirectional is on and ahead is 1: .* what is to be",
        ),
        (SEQS, {"target": "keys", "ahead": 12}, "ahead is 12, and the train part holds no step with 12 steps after it"),
        (SEQS, {"target": "keys", "ahead": 0}, "ahead is 0"),
        (
            SEQS,
            {"target": "keys", "layout": "stateful", "bidirectional": True},
            "bidirectional is on and layout is 'stateful'",
        ),
        (SEQS, {"target": "keys", "pooling": "max"}, "pooling goes with task classify, regress or joint, not with tag"),
        (SEQS, {"target": "keys", "horizon": 2}, "horizon goes with task forecast, not with tag"),
        (SEQS, {"target": "keys", "task": "forecast", "ahead": 2}, "ahead goes with task tag, not with forecast"),
        (SEQS, {"target": "word", "monitor": "rmse"}, "monitor is 'rmse'; the figures are: loss, accuracy"),
        (
            SEQS,
            {"target": "word", "task": "classify"},
            "'word' changes in sequence 0",
        ),
        (SEQS.select([0, 1]), {"target": "word"}, "not enough sequences for a test part of 20%: there are 2"),
        (SEQS, {"target": "word", "split_column": "id"}, "expected one of train, valid, test"),
        (spoiled(y=[["a", "a", "a"]] * 5), {}, "target 'y' is 'a' at every step; a class needs at least two"),
        (
            spoiled(y=[["a", "b", "a"]] * 4 + [["a", "", "b"]]),
            {},
            "target 'y' is '' in sequence 4, step 1; label it",
        ),
        (spoiled(y=[["a", "b", "a"]] * 4 + [["a", "b", None]]), {}, "target 'y' is None in sequence 4, step 2"),
        (
            spoiled(y=[[1.0, 2.0, 3.0]] * 4 + [[1.0, np.nan, 2.0]]),
            {},
            "column 'y' is nan in sequence 4, step 1; targets must",
        ),
        (
            spoiled(y=[np.array(["2024", "2025", "2026"], "M8[s]")] * 5),
            {},
            "target 'y' is datetime64.* a step; tag learns text, bools or numbers",
        ),
        (
            spoiled().ahead("y", [2], name="next"),
            {"target": "next"},
            r"target 'next' looks ahead in 'y', .* target='y' and ahead=2 \(--ahead 2\)",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, (dict, str)) else "",
)
def test_bad_input_is_named_and_nothing_is_written(seqs: ds.Sequences, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ds.DrystoneError, match=words):
        ds.fit(seqs, **{"target": "y"} | SMALL | settings)
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("target", "values", "words"),
    [
        (
            "word",
            [["up", "left"]],
            "target 'word' is 'left' in sequence 0, step 1, which was not among .*: 'down', 'up'",
        ),
        ("word", [[1, 2]], "target 'word' is int64 a step; the model knows classes such as 'down'"),
        ("count", [[5, 99]], "target 'count' is 99 in sequence 0, step 1, which was not among"),
        ("keys", [[[0, 1], [2, 0]]], r"target 'keys' is \[2, 0\] in sequence 0, step 1; the model learned yes/no"),
        ("keys", [[0, 1]], r"target 'keys' has shape \(\) a step; the model says \(2,\)"),
        ("keys", [["a", "b"]], "target 'keys' is text a step; the model says numbers or yes/no"),
        ("level", [[1.0, np.inf]], "column 'level' is inf in sequence 0, step 1"),
    ],
    ids=str,
)
def test_targets_that_cannot_be_measured_against_are_named(target: str, values: Any, words: str) -> None:
    run = ds.fit(SEQS, target, **SMALL)
    with pytest.raises(ds.DataError, match=words):
        run.evaluate(ds.Sequences.from_arrays({"x": [np.zeros((2, 2))], target: values}))


def test_what_it_cannot_do_is_said() -> None:
    run = ds.fit(SEQS, "word", **SMALL)
    with pytest.raises(ds.ConfigError, match="bidirectional is on: .* Train it with bidirectional=False"):
        run.predictor()
    with pytest.raises(ds.ConfigError, match="trained to tag; only runs that classify can be exported"):
        run.export("out.torch", to="torch")
    far = ds.Sequences.from_arrays({"x": [np.zeros((2, 2)), np.array([[0.0, 0.0], [1e308, -1e308]])]})
    with pytest.raises(ds.DataError, match="sequence 1, step 0 holds numbers so far from the training data"):
        run.predict(far)
