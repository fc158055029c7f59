"""`drystone export`: how it refuses, and that what it writes needs no drystone."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import drystone as ds


@pytest.fixture
def run(tmp_path: Path) -> ds.Run:
    """A small run in the folder `run`."""
    steps = [np.arange(length, dtype=float)[:, None] for length in (3, 1, 4, 2)]
    seqs = ds.Sequences.from_arrays({"x": steps}, {"y": ["a", "b", "a", "b"]})
    options: dict[str, Any] = {"epochs": 1, "hidden_size": 3, "test_fraction": 0.0, "progress": False}
    return ds.fit(seqs, "y", out=tmp_path / "run", **options)


PLAIN = """
import sys
sys.modules["drystone"] = None
import keras, numpy
model = keras.saving.load_model("m.keras")
x = numpy.array([[[0.0], [1.0], [2.0]], [[0.0], [9.0], [9.0]]], "float32")
valid = numpy.array([[True, True, True], [True, False, False]])
print(*model.predict({"x": x, "valid": valid}, verbose=0)[:, 0])
"""


@pytest.mark.slow
def test_the_file_needs_no_drystone(run: ds.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    for code in (
        [sys.executable, "-m", "drystone", "export", "run", "--to", "keras", "--out", "m.keras"],
        [sys.executable, "-c", PLAIN],
    ):
        done = subprocess.run(code, cwd=tmp_path, capture_output=True, text=True, check=True)
    expected = run.predict(ds.Sequences.from_arrays({"x": [[[0.0], [1.0], [2.0]], [[0.0]]]}))["p_a"]
    np.testing.assert_allclose(np.array(done.stdout.split(), dtype=float), expected, atol=2e-6)


BAD = [
    (["run"], "Missing option '--to'"),
    (["run", "--to", "onnx"], "'onnx' is not one of 'keras'"),
    (["gone", "--to", "keras"], "there is no run folder gone"),
    (["folder", "--to", "keras"], "folder is not a run folder: run.json is missing"),
    (["run", "--to", "keras", "--out", "m.h5"], "m.h5 should end in .keras"),
    (["run", "--to", "keras", "--out", "gone/m.keras"], "no folder gone"),
    (["run", "--to", "keras", "--out", "taken.keras"], "taken.keras exists. Choose another name, or pass --overwrite"),
]


@pytest.mark.parametrize(
    ("arguments", "words"), BAD, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_bad_input_ends_with_a_sentence_and_writes_nothing(
    program: Any, run: ds.Run, tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "taken.keras").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    code, out, err = program("export", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "taken.keras").read_text() == "mine"


def test_without_keras_the_command_that_installs_it_is_named(
    program: Any, run: ds.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    code, out, err = program("export", "run", "--to", "keras")
    assert (code, out) == (2, "")
    assert err == "error: keras is not installed. Install it with: pip install 'drystone[keras]'\n"
    assert not (tmp_path / "run.keras").exists()


def test_help_has_examples(program: Any) -> None:
    code, out, _ = program("export", "--help")
    assert code == 0
    assert "drystone export runs/japanese-vowels-1 --to keras" in out
