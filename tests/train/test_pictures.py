"""The pictures of a run: drawn with the run, listed in it, and never worth more than it."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

import drystone as ds
from drystone.core.sequences import Sequences
from drystone.plots.figure import Picture
from drystone.train import Progress, Run, fit, resume
from drystone.train.interrupts import StopRequested
from drystone.train.loop.events import Updated
from drystone.train.tasks.classify.task import Classify
from tests.pictures import check_whole, leave_undrawn
from tests.train.small import SMALL
from tests.train.tasks.numbered import regress, weighed
from tests.train.tasks.series import forecast, waves


def pictures_in(path: Path) -> list[str]:
    listed = json.loads((path / "run.json").read_text())["files"]
    found = sorted(file.name for file in path.glob("*.png"))
    assert found == sorted(name for name in listed if name.endswith(".png"))
    return found


def test_each_task_has_its_own(vowels: Sequences) -> None:
    runs = [fit(vowels, target="speaker", **SMALL), regress(weighed()), forecast(waves())]
    assert [pictures_in(run.path) for run in runs] == [
        ["confusion.png", "curves.png"],
        ["curves.png", "predictions.png"],
        ["curves.png", "forecasts.png", "residuals.png"],
    ]
    for run in runs:
        for picture in run.path.glob("*.png"):
            check_whole(picture)
        assert Run.open(run.path).is_finished


@pytest.mark.parametrize(
    ("shares", "part"),
    [({"valid_fraction": 0.3}, "test part"), ({"valid_fraction": 0.3, "test_fraction": 0.0}, "validation part")],
)
def test_they_are_of_the_test_part_or_else_of_the_validation_part(
    shares: dict[str, float], part: str, vowels: Sequences, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(Picture, "save", lambda self, path: drawn.append(self))
    run = fit(vowels, target="speaker", **SMALL, **shares)
    (matrix,) = drawn
    counted = run.split.test if part == "test part" else run.split.valid
    assert matrix.count.sum() == len(counted)
    accuracy = run.evaluate(vowels.select(counted)).accuracy
    assert matrix.title.startswith(f"speaker, {part}: accuracy {accuracy:.3f}  (majority class: 0.")


def test_without_such_a_part_there_are_curves_alone(vowels: Sequences) -> None:
    assert pictures_in(fit(vowels, target="speaker", test_fraction=0, **SMALL).path) == ["curves.png"]


def fails(*_: Any) -> None:
    raise ZeroDivisionError("no colour")


@pytest.mark.parametrize(
    ("place", "words", "left"),
    [
        ("drystone.plots.confusion.Confusion.figure", r"confusion\.png could not be drawn: Zero", ["curves.png"]),
        ("drystone.train.pictures.save_curves", r"curves\.png could not be drawn: Zero", ["confusion.png"]),
        ("drystone.train.tasks.classify.task.Classify.pictures", "the pictures of this run could not", ["curves.png"]),
    ],
)
def test_a_run_is_finished_though_a_picture_fails(
    place: str, words: str, left: list[str], vowels: Sequences, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, fails)
    with pytest.warns(UserWarning, match=words):
        run = fit(vowels, target="speaker", **SMALL)
    assert pictures_in(run.path) == left
    assert Run.open(run.path).is_finished


def test_a_disk_that_is_full_is_said_and_resume_draws(vowels: Sequences, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Picture, "save", full)
        with pytest.raises(ds.RunError, match=r"confusion\.png could not be written"):
            fit(vowels, target="speaker", out="run", **SMALL)
    assert not Run.open("run").is_finished
    assert pictures_in(resume("run", vowels, progress=False).path) == ["confusion.png", "curves.png"]


def test_a_picture_that_was_changed_is_named(vowels: Sequences, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_undrawn(monkeypatch)
    run = fit(vowels, target="speaker", **SMALL)
    (run.path / "confusion.png").write_bytes(b"other")
    with pytest.raises(ds.RunError, match=r"confusion\.png was changed"):
        Run.open(run.path)
    assert fit(vowels, target="speaker", out=run.path, overwrite=True, **SMALL).is_finished


def test_a_stopped_run_has_its_curves(vowels: Sequences, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Progress.__call__

    def watch(self: Progress, event: Any) -> None:
        real(self, event)
        if isinstance(event, Updated) and event.update == 9:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "__call__", watch)
        run = fit(vowels, target="speaker", **SMALL)
    assert not run.is_finished
    check_whole(run.path / "curves.png")
    assert Run.open(run.path).path == run.path
    assert pictures_in(resume(run.path, vowels, progress=False).path) == ["confusion.png", "curves.png"]


def test_asked_to_stop_while_pictures_are_made_it_goes_on_later(
    vowels: Sequences, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: Any) -> None:
        raise StopRequested

    with monkeypatch.context() as patch:
        patch.setattr(Classify, "pictures", asked)
        assert not fit(vowels, target="speaker", out="run", **SMALL).is_finished
    assert pictures_in(resume("run", vowels, progress=False).path) == ["confusion.png", "curves.png"]


def test_evaluate_draws_what_it_measures(vowels: Sequences) -> None:
    run = fit(vowels, target="speaker", **SMALL)
    plain = run.evaluate(vowels)
    assert run.evaluate(vowels, plot="drawn") == plain
    assert [file.name for file in Path("drawn").iterdir()] == ["confusion.png"]
    check_whole(Path("drawn/confusion.png"))
    before = Path("drawn/confusion.png").read_bytes()
    with pytest.raises(ds.DataError, match=r"drawn holds confusion\.png, which is not replaced"):
        run.evaluate(vowels, plot="drawn")
    with pytest.raises(ds.DataError, match="there is no folder no"):
        run.evaluate(vowels, plot="no/where")
    Path("file").touch()
    with pytest.raises(ds.DataError, match="file is a file; name a folder"):
        run.evaluate(vowels, plot="file")
    assert Path("drawn/confusion.png").read_bytes() == before
