"""What cannot be exported is refused, and nothing is ever half-written."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import drystone as ds
from drystone.train.export import onnx_graph, to_onnx, to_torch
from tests.train.export.runs import some_data, trained


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ds.Run:
    return trained(some_data(), tmp_path_factory.mktemp("trained") / "run")


def fails(*_: Any, **__: Any) -> Any:
    raise OSError("no space left")


def test_bad_arguments_are_refused_and_nothing_is_written(run: ds.Run, tmp_path: Path) -> None:
    for name in ("taken.onnx", "file.torch"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(ds.ConfigError, match="to must be one of 'keras', 'torch', 'onnx'; got 'pt'"):
        run.export(tmp_path / "m.pt", to="pt")
    with pytest.raises(ds.ConfigError, match="m.keras should end in .onnx"):
        run.export(tmp_path / "m.keras", to="onnx")
    with pytest.raises(ds.ConfigError, match="m should end in .torch"):
        run.export(tmp_path / "m", to="torch")
    with pytest.raises(ds.DataError, match="taken.onnx exists. Choose another name, or pass overwrite=True"):
        run.export(tmp_path / "taken.onnx", to="onnx")
    with pytest.raises(ds.DataError, match="file.torch is not a folder, so it is not replaced"):
        run.export(tmp_path / "file.torch", to="torch", overwrite=True)
    for to in ("onnx", "torch"):
        with pytest.raises(ds.DataError, match="no folder"):
            run.export(tmp_path / "gone" / f"m.{to}", to=to)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"taken.onnx": "mine", "file.torch": "mine"}


def test_without_onnx_the_command_that_installs_it_is_named(
    run: ds.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ds.MissingExtraError, match=r"onnx is not installed. .* pip install 'drystone\[onnx\]'"):
        run.export(tmp_path / "m.onnx", to="onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_onnx_file_that_differs_from_pytorch_is_not_kept(
    run: ds.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.onnx").write_text("mine")
    monkeypatch.setattr(onnx_graph, "_gates", lambda values: values)  # their order in PyTorch
    with pytest.raises(ds.RunError, match="of the ONNX model is up to .* off PyTorch's in onnxruntime .* not kept"):
        run.export(tmp_path / "m.onnx", to="onnx", overwrite=True)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"m.onnx": "mine"}
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # without it nothing is compared
    run.export(tmp_path / "m.onnx", to="onnx", overwrite=True)


def test_a_failure_half_way_leaves_what_was_there(run: ds.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for to in ("torch", "onnx"):
        run.export(tmp_path / f"m.{to}", to=to)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setattr(to_torch, "save_tensors", fails)
    monkeypatch.setattr(to_onnx, "plain_of", fails)
    for to in ("torch", "onnx"):
        for name in ("m", "new"):
            with pytest.raises((OSError, ds.RunError), match="no space left"):
                run.export(tmp_path / f"{name}.{to}", to=to, overwrite=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.onnx", "m.torch"]


def test_an_older_export_is_replaced_whole(run: ds.Run, tmp_path: Path) -> None:
    run.export(tmp_path / "m.torch", to="torch")
    (tmp_path / "m.torch" / "drystone.json").write_text("old")
    (tmp_path / "m.torch" / "__pycache__").mkdir()
    about = run.export(tmp_path / "m.torch", to="torch", overwrite=True)
    assert json.loads((tmp_path / "m.torch" / "drystone.json").read_text()) == about
    assert {path.name for path in tmp_path.rglob("*")} == {
        "m.torch",
        "model.py",
        "weights.safetensors",
        "drystone.json",
    }
