"""`drystone export`: how it refuses, and that what it prints is how to use what it wrote, without drystone."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import drystone as ds
from drystone.train.export import FORMATS


@pytest.fixture
def run(tmp_path: Path) -> ds.Run:
    """A small run in the folder `run`."""
    steps = [np.arange(length, dtype=float)[:, None] for length in (3, 1, 4, 2)]
    seqs = ds.Sequences.from_arrays({"x": steps}, {"y": ["a", "b", "a", "b"]})
    options: dict[str, Any] = {"epochs": 1, "hidden_size": 3, "test_fraction": 0.0, "progress": False}
    return ds.fit(seqs, "y", out=tmp_path / "run", **options)


X = "[[[0.0], [1.0], [2.0]], [[0.0], [9.0], [9.0]]]"
BEFORE = {
    "keras": f"import numpy; x = numpy.array({X}, 'float32'); valid = x[:, :, 0] < 9",
    "torch": f"import torch; x = torch.tensor({X}); lengths = torch.tensor([3, 1])",
    "onnx": f"import numpy; x = numpy.array({X}, 'float32'); lengths = numpy.array([3, 1])",
}
"""What the printed lines take as given."""
RESULT = {"keras": "probabilities", "torch": "probabilities.detach()", "onnx": "probability"}


@pytest.mark.parametrize("form", [pytest.param("keras", marks=pytest.mark.slow), "torch", "onnx"])
def test_the_printed_lines_run_without_drystone(
    form: str, program: Any, run: ds.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    if form == "keras":  # which must not be imported here: it settles on one backend
        export = [sys.executable, "-m", "drystone", "export", "run", "--to", form]
        said = subprocess.run(export, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    else:
        code, said, _ = program("export", "run", "--to", form)
        assert code == 0
    usage = [line.strip() for line in said.split("To use it:\n")[1].splitlines()]
    lines = [
        "import sys; sys.modules['drystone'] = None",
        BEFORE[form],
        *usage,
        f"print('p', *{RESULT[form]}[:, 0].tolist())",
    ]
    use = [sys.executable, "-c", "\n".join(lines)]
    done = subprocess.run(use, cwd=tmp_path, capture_output=True, text=True, check=True)
    expected = run.predict(ds.Sequences.from_arrays({"x": [[[0.0], [1.0], [2.0]], [[0.0]]]}))["p_a"]
    np.testing.assert_allclose(np.array(done.stdout.split("p ")[-1].split(), dtype=float), expected, atol=2e-6)


BAD = [
    (["run"], "Missing option '--to'"),
    (["run", "--to", "tflite"], "to must be one of 'keras', 'torch', 'onnx'; got 'tflite'"),
    (["gone", "--to", "keras"], "there is no run folder gone"),
    (["folder", "--to", "torch"], "folder is not a run folder"),
    (["run", "--to", "keras", "--out", "m.h5"], "m.h5 should end in .keras"),
    (["run", "--to", "torch", "--out", "m.pt"], "m.pt should end in .torch"),
    (["run", "--to", "onnx", "--out", "m.keras"], "m.keras should end in .onnx"),
    (["run", "--to", "onnx", "--out", "gone/m.onnx"], "no folder gone"),
    (["run", "--to", "keras", "--out", "taken.keras"], "taken.keras exists. Choose another name, or pass --overwrite"),
    (["run", "--to", "torch", "--out", "mine.torch"], "mine.torch exists. Choose another name, or pass --overwrite"),
    (
        ["run", "--to", "torch", "--out", "mine.torch", "--overwrite"],
        "mine.torch holds notes.txt, so it is not replaced",
    ),
    (["run", "--to", "torch", "--out", "a.torch", "--overwrite"], "a.torch is a file; name a folder"),
    (["run", "--to", "onnx", "--out", "a.onnx", "--overwrite"], "a.onnx is a folder; name a file"),
]


@pytest.mark.parametrize(
    ("arguments", "words"), BAD, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_bad_input_ends_with_a_sentence_and_writes_nothing(
    program: Any, run: ds.Run, tmp_path: Path, arguments: list[str], words: str
) -> None:
    for folder in ("folder", "mine.torch", "a.onnx"):
        (tmp_path / folder).mkdir()
    for name in ("taken.keras", "mine.torch/notes.txt", "a.torch"):
        (tmp_path / name).write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    code, out, err = program("export", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "taken.keras").read_text() == "mine"


@pytest.mark.parametrize("form", ["keras", "onnx"])
def test_without_the_library_the_command_that_installs_it_is_named(
    form: str, program: Any, run: ds.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, form, None)
    code, out, err = program("export", "run", "--to", form)
    assert (code, out) == (2, "")
    assert err == f"error: {form} is not installed. Install it with: pip install 'drystone[{form}]'\n"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_it_says_what_goes_in_and_comes_out(program: Any, run: ds.Run, tmp_path: Path) -> None:
    code, out, err = program("export", "run", "--to", "torch", "--out", "m.torch")
    assert (code, err) == (0, "")
    assert out.startswith("PyTorch module in m.torch\ninput x: float32 or float64 [rows, steps, 1]: the features")
    assert "\noutput logits: float32 [rows, 2]: " in out
    assert "\nclasses of y: a, b\n" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.torch", "run"]
    assert program("export", "run", "--to", "torch", "--out", "m.torch", "--overwrite")[0] == 0


def test_help_has_an_example_of_each_format(program: Any) -> None:
    code, out, _ = program("export", "--help")
    assert code == 0
    for name in FORMATS:
        assert f"--to {name}" in out
        assert f" {name}: " in out
