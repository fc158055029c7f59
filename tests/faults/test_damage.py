"""What is damaged, missing or of another version is named; what is whole stays as it is."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest

import drystone as ds
from drystone.core.sequences import Sequences
from drystone.train import Run, Store
from drystone.train.folder import names
from drystone.train.folder.manifest import Manifest
from tests.faults.small import SMALL, TARGET, check_equal, contents

LONG: dict[str, Any] = {"epochs": 3, "checkpoint_seconds": 0}
IN_A_CHECKPOINT = ("state.json", "state.safetensors", "best.safetensors", "checksums.json")


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def flip(file: Path) -> None:
    """One bit in the middle."""
    found = bytearray(file.read_bytes())
    found[len(found) // 2] ^= 1
    file.write_bytes(found)


def remove(file: Path) -> None:
    file.unlink()


DAMAGES = [truncate, empty, flip, remove]


@pytest.fixture(scope="module")
def stopped(_memory: Path, seqs: Sequences) -> Path:
    """A run that was left in its second epoch, when something went wrong that is not drystone's."""
    path = _memory / "stopped"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("drystone.train.session.Progress.__call__", _fail_at(8))
        with pytest.raises(ZeroDivisionError):
            ds.fit(seqs, TARGET, out=path, **SMALL, **LONG)
    assert Store(path / "checkpoints").updates() == [7, 6]
    return path


def _fail_at(update: int) -> Callable[..., None]:
    def call(_: Any, event: ds.train.Event) -> None:
        if event.update == update:
            raise ZeroDivisionError

    return call


@pytest.fixture
def path(stopped: Path, tmp_path: Path) -> Path:
    return copytree(stopped, tmp_path / "run")


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", IN_A_CHECKPOINT)
def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    damage: Callable[[Path], None], name: str, path: Path, whole: Callable[..., Path], seqs: Sequences
) -> None:
    damage(path / "checkpoints/update-00000007" / name)
    with pytest.warns(UserWarning, match="Training goes on from the checkpoint before it") as told:
        ds.resume(path, seqs, progress=False)
    assert [name in str(warning.message) for warning in told] == [True]
    check_equal(path, whole(**LONG))


def test_a_disk_that_cannot_be_read_is_damage_too(
    path: Path, whole: Callable[..., Path], seqs: Sequences, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.open

    def read(self: Path, *args: Any, **named: Any) -> Any:
        if self.parent.name == "update-00000007":
            raise OSError(5, "Input/output error")
        return real(self, *args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", read)
        checkpoint, damages = Store(path / "checkpoints").newest()
    assert checkpoint is not None
    assert checkpoint.state["trainer"]["counts"]["updates"] == 6
    assert ["update-00000007" in damage for damage in damages] == [True]


@pytest.mark.parametrize("damage", DAMAGES)
def test_all_checkpoints_damaged(damage: Callable[[Path], None], path: Path, seqs: Sequences) -> None:
    for folder in (path / "checkpoints").iterdir():
        damage(folder / "state.safetensors")
    before = contents(path)
    with pytest.raises(ds.RunError, match=r"no checkpoint in .* is whole: .*update-00000007.*update-00000006"):
        ds.resume(path, seqs, progress=False)
    assert contents(path) == before


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [*names.AT_START, names.MANIFEST, names.METRICS])
def test_each_file_of_a_stopped_run(
    damage: Callable[[Path], None], name: str, path: Path, whole: Callable[..., Path], seqs: Sequences
) -> None:
    kept = (path / name).read_bytes()
    damage(path / name)
    before = contents(path)
    with pytest.raises(ds.RunError) as caught:
        ds.resume(path, seqs, progress=False)
    assert name in str(caught.value)
    assert contents(path) == before
    (path / name).write_bytes(kept)
    ds.resume(path, seqs, progress=False)
    check_equal(path, whole(**LONG))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [*names.AT_START, *names.AT_END, names.MANIFEST, names.CURVES, names.CONFUSION])
def test_each_file_of_a_finished_run(
    damage: Callable[[Path], None], name: str, whole: Callable[..., Path], tmp_path: Path
) -> None:
    path = copytree(whole(**LONG), tmp_path / "run")
    damage(path / name)
    before = contents(path)
    for open_it in (Run.open, ds.resume):
        with pytest.raises(ds.RunError) as caught:
            open_it(path)
        assert name in str(caught.value)
    assert contents(path) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 3, "drystone": "9.9"}, "of version 3, written by drystone 9.9; this one reads version 2"),
        ({"status": "wild"}, "run.json is damaged"),
        ({"files": {}}, "run.json is damaged"),
        ({"files": {"../thesis.txt": ""}}, "run.json is damaged"),
        ({"files": None}, "run.json is damaged"),
    ],
)
def test_a_manifest_that_cannot_be_believed(change: dict[str, Any], words: str, path: Path) -> None:
    file = path / names.MANIFEST
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    before = contents(path)
    with pytest.raises(ds.RunError, match=words):
        ds.resume(path)
    assert contents(path) == before


def test_checkpoints_of_another_version(path: Path, seqs: Sequences, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(path)
    monkeypatch.setattr("drystone.train.checkpoint.checkpoint.VERSION", 4)
    with pytest.raises(ds.RunError, match="has version 3; this drystone reads version 4"):
        ds.resume(path, seqs, progress=False)
    assert contents(path) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda seqs: seqs.select(np.arange(len(seqs))[::-1]),
        lambda seqs: seqs[:-1],
        lambda seqs: Sequences.from_arrays(
            {"x": [found["x"] + np.float32(1) for found in seqs]}, {TARGET: seqs.field(TARGET).values}
        ),
        lambda seqs: Sequences.from_arrays(
            {"x": [found["x"] for found in seqs]}, {TARGET: np.roll(seqs.field(TARGET).values, 1)}
        ),
        lambda seqs: Sequences.from_arrays({"x": [found["x"] for found in seqs]}),
        lambda seqs: Sequences.from_arrays(
            {"x": [found["x"][:, :3] for found in seqs]}, {TARGET: seqs.field(TARGET).values}
        ),
    ],
    ids=["another order", "fewer", "other values", "other labels", "no labels", "narrower"],
)
def test_other_data(change: Callable[[Sequences], Sequences], path: Path, seqs: Sequences) -> None:
    before = contents(path)
    with pytest.raises(ds.RunError, match="not the sequences that the run was made from"):
        ds.resume(path, change(seqs), progress=False)
    assert contents(path) == before


def test_another_environment_is_told_of(path: Path, seqs: Sequences) -> None:
    file = path / names.ENVIRONMENT
    found = json.loads(file.read_text())
    file.write_text(json.dumps(found | {"threads": 77}))
    Manifest.of(path, "training").save(path)
    here = found["threads"]
    with pytest.warns(UserWarning, match=f"so the last bits may differ: threads 77 there, {here} here"):
        ds.resume(path, seqs, progress=False)


def test_nothing_wrong_is_told_of_nothing(path: Path, whole: Callable[..., Path], seqs: Sequences) -> None:
    with warnings.catch_warnings(record=True) as told:
        ds.resume(path, seqs, progress=False)
    assert told == []
    check_equal(path, whole(**LONG))
