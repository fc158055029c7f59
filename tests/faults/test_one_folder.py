"""One process at a time trains in a folder, and an older run stays until a newer one has come to something."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

import drystone as ds
from drystone.core.sequences import Sequences
from drystone.train import Run, Store
from tests.faults.child import Moment, killed, running, train_in_steps, train_until, wait_for, waiting_for
from tests.faults.small import SMALL, TARGET, check_equal, contents, partials_in

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")

LONG: dict[str, Any] = {"epochs": 3, "checkpoint_seconds": 0}


def test_a_second_process_is_refused_and_the_first_is_not_disturbed(
    whole: Callable[..., Path], seqs: Sequences, tmp_path: Path
) -> None:
    path, go_on = tmp_path / "run", tmp_path / "go on"
    store = Store(path / "checkpoints")
    with running(train_in_steps, path, LONG, go_on) as process:
        wait_for(waiting_for(go_on).exists, process)
        assert 3 in store.updates()
        before = contents(path)
        with pytest.raises(ds.RunError, match="another process is training in .*run. Wait until it is over"):
            ds.resume(path, seqs, progress=False)
        with pytest.raises(ds.RunError, match="another process is training in"):
            ds.fit(seqs, TARGET, out=path, overwrite=True, **SMALL, **LONG)
        with pytest.raises(ds.RunError, match="exists. Choose another name"):
            ds.fit(seqs, TARGET, out=path, **SMALL, **LONG)
        assert contents(path) == before
        go_on.touch()
    assert process.exitcode == 0
    check_equal(path, whole(**LONG))
    assert sorted(child.name for child in tmp_path.iterdir()) == ["go on", "run"]


def test_the_folder_is_free_once_its_process_was_killed(
    whole: Callable[..., Path], seqs: Sequences, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    store = Store(path / "checkpoints")
    with running(train_in_steps, path, LONG, tmp_path / "never") as process:
        wait_for(waiting_for(tmp_path / "never").exists, process)
        assert 3 in store.updates()
        process.kill()
    assert process.exitcode == -signal.SIGKILL
    ds.resume(path, seqs, progress=False)
    check_equal(path, whole(**LONG))


def test_one_that_came_first_meanwhile_is_not_replaced(
    whole: Callable[..., Path], seqs: Sequences, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both looked when nothing was there."""
    path, first = tmp_path / "run", whole(**LONG)
    real = ds.train.Settings.save

    def save(settings: ds.train.Settings, file: Path) -> None:
        copytree(first, path)
        real(settings, file)

    monkeypatch.setattr(ds.train.Settings, "save", save)
    with pytest.raises(ds.RunError, match="run exists"):
        ds.fit(seqs, TARGET, out=path, **SMALL, **LONG)
    check_equal(path, first)
    assert [child.name for child in tmp_path.iterdir()] == ["run"]


BEFORE_A_CHECKPOINT = [
    Moment(change="os.rename", name=".run.replaced"),
    Moment(change="os.rename", name=".run.replaced", later=1),
    Moment(change="open", name="run/metrics.jsonl"),
    Moment(change="os.mkdir", name=".update-00000001.", later=3),
]


@pytest.mark.parametrize("moment", BEFORE_A_CHECKPOINT, ids=str)
def test_an_older_run_is_not_lost_to_one_that_came_to_nothing(
    moment: Moment, whole: Callable[..., Path], seqs: Sequences, tmp_path: Path
) -> None:
    """Killed before it has a checkpoint, and the next one too; the third fails by itself."""
    path = tmp_path / "run"
    older = copytree(whole(**LONG), path)
    before = contents(older)
    overwriting = {"overwrite": True, "seed": 1, **LONG}
    killed(train_until, moment, path, overwriting)
    killed(train_until, moment, path, overwriting)
    with pytest.raises(ds.NotFiniteError):
        ds.fit(seqs, TARGET, out=path, overwrite=True, updates=4, learning_rate=1e38, gradient_clip=0.0, **SMALL)
    assert Run.open(path).is_finished
    assert contents(path) == before


@pytest.mark.parametrize("moment", BEFORE_A_CHECKPOINT[:2], ids=str)
def test_an_older_run_has_its_name_back(moment: Moment, whole: Callable[..., Path], tmp_path: Path) -> None:
    path = copytree(whole(**LONG), tmp_path / "run")
    before = contents(path)
    killed(train_until, moment, path, {"overwrite": True, **LONG})
    assert ds.resume(path).is_finished
    assert contents(path) == before


def test_a_run_killed_in_the_place_of_another_goes_on(
    whole: Callable[..., Path], seqs: Sequences, tmp_path: Path
) -> None:
    path = copytree(whole(**LONG), tmp_path / "run")
    killed(train_until, BEFORE_A_CHECKPOINT[3], path, {"overwrite": True, "epochs": 2, "checkpoint_seconds": 0})
    ds.resume(path, seqs, progress=False)
    check_equal(path, whole(epochs=2, checkpoint_seconds=0))
    assert [child.name for child in tmp_path.iterdir()] == ["run"]


def test_a_killed_run_can_be_replaced(whole: Callable[..., Path], seqs: Sequences, tmp_path: Path) -> None:
    """What it left half-written is part of a run."""
    path = tmp_path / "run"
    killed(train_until, Moment(change="os.rename", name="weights.safetensors"), path, LONG)
    assert len(partials_in(path)) == 1
    ds.fit(seqs, TARGET, out=path, overwrite=True, **SMALL, **LONG)
    check_equal(path, whole(**LONG))


def test_a_run_that_cannot_go_on_stays_as_it_is(seqs: Sequences, tmp_path: Path) -> None:
    """Killed before its first checkpoint: that it fails once more is no reason to remove it."""
    path = tmp_path / "run"
    killed(train_until, Moment(change="os.mkdir", name=".update-00000001."), path, LONG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("drystone.train.session.trainer_of", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ds.resume(path, seqs, progress=False)
    assert (path / "config.toml").is_file()
    assert ds.resume(path, seqs, progress=False).is_finished
