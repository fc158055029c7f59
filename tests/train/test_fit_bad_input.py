"""Input that cannot be used is named, and nothing is written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import drystone as ds
from drystone.core.sequences import Sequences
from drystone.train import fit
from drystone.train import fit as fit_function
from tests.train.small import SMALL


def spoiled(vowels: Sequences, value: float) -> Sequences:
    arrays = [found["x"].copy() for found in vowels]
    arrays[17][3, 5] = value
    return Sequences.from_arrays({"x": arrays}, {"speaker": vowels.field("speaker").values})


@pytest.mark.parametrize(
    ("make", "settings", "words"),
    [
        (lambda v: spoiled(v, np.nan), {}, r"column 'x\[5\]' is nan in sequence 17, step 3"),
        (lambda v: spoiled(v, np.inf), {}, r"column 'x\[5\]' is inf in sequence 17, step 3"),
        (lambda v: v, {"target": "nope"}, "no field 'nope'; the fields are: x, speaker, part"),
        (lambda v: v, {"target": "x"}, "no field has values a step to learn from; the fields are: x, speaker, part"),
        (lambda v: v, {"target": "x", "task": "classify"}, "'x' changes in sequence 0"),
        (lambda v: v, {"features": ("x", "speaker")}, "'speaker' is the target"),
        (lambda v: v, {"features": ()}, "features is empty"),
        (lambda v: v, {"features": ("x", "x")}, "twice: x, x"),
        (lambda v: v, {"device": "meta"}, "device 'meta' cannot be used"),
        (lambda v: v, {"order_by": "nope"}, "no field 'nope'"),
        (lambda v: v[:0], {}, "no sequences"),
        (
            lambda v: v[:10],
            {"valid_fraction": 0.01, "test_fraction": 0.0},
            "no class has enough sequences for a valid part",
        ),
        (lambda v: v[:20], {}, "every training sequence has the label '1'"),
        (lambda v: v[:3], {"test_fraction": 0.01}, "no class has enough sequences for a test part"),
        (lambda v: v, {"layout": "packed", "rows": 2, "steps": 10}, r"lengths\[0\] is \d+; this Packed layout"),
        (lambda v: v, {"layout": "bucketed", "cells": 20}, r"lengths\[\d+\] is 2\d; this Bucketed layout"),
        (lambda v: v, {"epochs": 0}, "epochs is 0"),
        (lambda v: v, {"epoch": 3}, "no setting 'epoch'. Did you mean 'epochs'"),
        (lambda v: v, {"wibble": 3}, "no setting 'wibble'. The settings are: data, target"),
        (lambda v: v, {"cells": 300}, "cells goes with layout bucketed"),
        (lambda v: v, {"layout": "bucketed", "cells": 300, "batch_size": 3}, "either batch_size or cells"),
        (lambda v: v, {"layout": "packed", "rows": 3}, "rows needs steps too"),
        (lambda v: v, {"valid_fraction": 0.5, "test_fraction": 0.5}, "something to train on"),
        (
            lambda v: v,
            {"split_column": "speaker"},
            "'speaker' of sequence 0 is '1'; expected one of train, valid, test",
        ),
        (lambda v: v, {"split_column": "x"}, "'x' changes in sequence 0"),
        (lambda v: v, {"split_column": "part", "test_fraction": 0.5}, "leave out test_fraction"),
        (lambda v: v, {"device": "cuda:7"}, "device 'cuda:7' cannot be used here"),
        (lambda v: v, {"learning_rate": float("nan")}, "learning_rate is nan"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(
    vowels: Sequences, make: Any, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ds.DrystoneError, match=words):
        fit_function(make(vowels), **({"target": "speaker"} | SMALL | settings))
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["a", None, "b"], "'y' is missing in sequence 1"),
        (["a", "", "b"], "'y' is missing in sequence 1"),
        ([1.0, float("nan"), 2.0], "'y' is missing in sequence 1"),
        ([1.0, 2.5, 2.0], "'y' is 2.5 in sequence 1; .* task='regress' learns it"),
        ([[1, 2]] * 3, r"'y' has shape \(2,\)"),
    ],
)
def test_labels_that_are_no_classes_are_named(labels: Any, words: str) -> None:
    seqs = Sequences.from_arrays({"x": [[1.0], [2.0], [3.0]]}, {"y": labels})
    with pytest.raises(ds.DataError, match=words):
        fit(seqs, target="y", task="classify", **SMALL)


def test_what_the_model_needs_is_checked_at_prediction(vowels: Sequences) -> None:
    run = fit(vowels, target="speaker", **SMALL)
    whole = ds.read("japanese-vowels")
    with pytest.raises(ds.DataError, match=r"'speaker' is '4' in sequence 90, .* seen in training: '1', '2', '3'"):
        run.evaluate(whole)
    narrow = Sequences.from_arrays({"x": [np.zeros((2, 3))]})
    with pytest.raises(ds.DataError, match=r"'x' has shape \(3,\); the model needs \(12,\)"):
        run.predict(narrow)
    with pytest.raises(ds.DataError, match="no field 'x'"):
        run.predict(Sequences.from_arrays({"z": [np.zeros((2, 12))]}))
    with pytest.raises(ds.DataError, match="sequence 17, step 3"):
        run.predict(spoiled(vowels, np.nan))
