"""Exported runs: Keras' own layers give what the run itself predicts, whatever it was trained with."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import drystone as ds
from tests.pictures import leave_undrawn
from tests.train.export.runs import (
    CLASSES,
    LABELS,
    LENGTHS,
    TOLERANCE,
    Array,
    own_probabilities,
    padded,
    some_data,
    trained,
    trained_on_labels,
)

SETTINGS: dict[str, dict[str, Any]] = {
    "as usual": {},
    "last": {"pooling": "last", "num_layers": 3, "seed": 2**63 - 1},
    "last, one direction": {"pooling": "last", "bidirectional": False, "noise": 0.0, "head_dropout": 0.0},
    "mean, one direction": {"bidirectional": False, "noise": 3.0},
    "max, one direction": {"pooling": "max", "bidirectional": False, "num_layers": 2, "dropout": 0.0},
    "mean and max": {"pooling": "mean+max", "num_layers": 2},
}


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_undrawn(monkeypatch)


def batch_of(seqs: ds.Sequences, filler: float) -> dict[str, Array]:
    x = padded(seqs, filler)
    return {"x": x, "valid": np.arange(x.shape[1]) < seqs.lengths[:, None]}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_outputs_are_those_of_the_run(settings: dict[str, Any], tmp_path: Path) -> None:
    seqs = some_data()
    run = trained(seqs, tmp_path / "run", **settings)
    about = run.export(tmp_path / "m.keras", to="keras")
    assert about["classes"] == CLASSES
    assert about["inputs"]["x"]["columns"] == ["pair[0]", "pair[1]", "large"]
    model: Any = keras.saving.load_model(tmp_path / "m.keras")
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    expected = own_probabilities(run, seqs)
    assert np.ptp(expected, axis=0).max() > 0.01  # the sequences differ
    for filler in (0.0, 50.0):
        found = model.predict(batch_of(seqs, filler), verbose=0)
        np.testing.assert_allclose(found, expected, atol=TOLERANCE)


def test_several_labels_have_a_probability_each(tmp_path: Path) -> None:
    run, seqs = trained_on_labels(tmp_path / "run"), some_data((4, 9, 1), seed=3)
    about = run.export(tmp_path / "m.keras", to="keras")
    assert (about["classes"], about["activation"]) == (LABELS, "sigmoid")
    model: Any = keras.saving.load_model(tmp_path / "m.keras")
    found = model.predict(batch_of(seqs, 0.0), verbose=0)
    np.testing.assert_allclose(found, own_probabilities(run, seqs, LABELS), atol=TOLERANCE)


def test_noise_and_dropouts_act_in_training_only(tmp_path: Path) -> None:
    seqs = some_data()
    trained(seqs, tmp_path / "run", noise=3.0, num_layers=2, epochs=1).export(tmp_path / "m.keras")
    model: Any = keras.saving.load_model(tmp_path / "m.keras")
    assert sum(isinstance(layer, keras.layers.Dropout) for layer in model.layers) == 2
    batch = batch_of(seqs, 0.0)
    noisy = keras.Model(model.input, model.get_layer("in_units_of_inputs").output)
    clean = ops.convert_to_numpy(noisy(batch, training=False))
    noise = ops.convert_to_numpy(noisy(batch, training=True)) - clean
    assert 2.5 < noise.std() < 3.5


def test_it_is_float32_whatever_the_policy(tmp_path: Path) -> None:
    seqs = some_data()
    run = trained(seqs, tmp_path / "run", pooling="mean+max")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        run.export(tmp_path / "m.keras")
        model: Any = keras.saving.load_model(tmp_path / "m.keras")
        found = model.predict(batch_of(seqs, 0.0), verbose=0)
    finally:
        keras.config.set_dtype_policy(before)
    np.testing.assert_allclose(found, own_probabilities(run, seqs), atol=TOLERANCE)


def test_what_the_program_writes_on_torch_loads_here(tmp_path: Path) -> None:
    seqs = some_data()
    run = trained(seqs, tmp_path / "run")
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    program = [sys.executable, "-m", "drystone", "export", "run", "--to", "keras"]
    done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "columns of x: pair[0], pair[1], large\n" in done.stdout
    assert "classes of way: left, right, up\n" in done.stdout
    assert "  model = keras.saving.load_model('run.keras')\n" in done.stdout
    about = json.loads(zipfile.ZipFile(tmp_path / "run.keras").read("drystone.json"))
    assert (about["target"], about["classes"]) == ("way", CLASSES)
    assert about["inputs"]["valid"]["dtype"] == "bool"
    model: Any = keras.saving.load_model(tmp_path / "run.keras")
    assert {found.name: found.shape for found in model.inputs} == {"x": (None, None, 3), "valid": (None, None)}
    found = model.predict(batch_of(seqs, 0.0), verbose=0)
    np.testing.assert_allclose(found, own_probabilities(run, seqs), atol=TOLERANCE)


@pytest.mark.parametrize(("mean", "spread"), [(1.7e9, 30.0), (0.0, 1e-35), (0.0, 1e35)])
def test_what_float32_cannot_hold_is_refused(mean: float, spread: float, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    times = [mean + spread * rng.normal(size=length) for length in LENGTHS]
    labels = [CLASSES[number % 2] for number in range(len(LENGTHS))]
    run = trained(ds.Sequences.from_arrays({"time": times}, {"way": labels}), tmp_path / "run", epochs=1)
    with pytest.raises(ds.RunError, match="feature 'time' has mean .* float32, which cannot tell such numbers apart"):
        run.export(tmp_path / "m.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_bad_arguments_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    run = trained(some_data(), tmp_path / "run", epochs=1)
    (tmp_path / "taken.keras").write_text("mine")
    with pytest.raises(ds.ConfigError, match="to must be one of 'keras', 'torch', 'onnx'; got 'tflite'"):
        run.export(tmp_path / "m.keras", to="tflite")
    with pytest.raises(ds.ConfigError, match=r"m.h5 should end in .keras"):
        run.export(tmp_path / "m.h5")
    with pytest.raises(ds.DataError, match="taken.keras exists. Choose another name, or pass overwrite=True"):
        run.export(tmp_path / "taken.keras")
    with pytest.raises(ds.DataError, match="no folder"):
        run.export(tmp_path / "gone" / "m.keras")
    assert (tmp_path / "taken.keras").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "taken.keras"]
    run.export(tmp_path / "taken.keras", overwrite=True)
    assert zipfile.is_zipfile(tmp_path / "taken.keras")
