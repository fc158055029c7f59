"""Run folders: whole, or not there; also after Ctrl-C, failures and damage."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import drystone as ds
from drystone.core.sequences import Sequences
from drystone.train import Run, fit
from drystone.train.progress import Progress
from tests.train.small import SMALL


def test_the_run_folder_holds_everything_and_opens_again(vowels: Sequences) -> None:
    run = fit(vowels, target="speaker", valid_fraction=0.2, name="vowels", **SMALL)
    assert run.path == Path("runs/vowels-1")
    assert {file.name for file in run.path.iterdir()} == {
        "config.toml",
        "schema.json",
        "weights.safetensors",
        "metrics.jsonl",
        "plan.zip",
        "split.parquet",
        "curves.png",
    }
    records = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert [record.get("epoch") for record in records] == [1, 2, None]
    assert {"loss", "accuracy", "steps_per_second", "valid_loss", "valid_accuracy"} <= records[0].keys()
    assert records[-1]["part"] == "test"
    plan = ds.Plan.load(run.path / "plan.zip")
    plan.check()
    assert plan.lengths.tolist() == vowels.lengths[run.split.train].tolist()
    opened = Run.open(run.path)
    assert opened.settings == run.settings
    assert opened.schema == run.schema
    assert opened.predict(vowels).equals(run.predict(vowels))
    assert opened.evaluate(vowels.select(run.split.test)).accuracy == records[-1]["accuracy"]
    assert fit(vowels, target="speaker", name="vowels", **SMALL).path == Path("runs/vowels-2")


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def test_ctrl_c_keeps_the_weights_of_that_moment(vowels: Sequences, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Progress.show

    def show(self: Progress, sums: Any) -> None:
        if sums.epoch == 1:
            raise KeyboardInterrupt
        real(self, sums)

    assert fit(vowels, target="speaker", **SMALL).is_finished
    monkeypatch.setattr(Progress, "show", show)
    run = fit(vowels, target="speaker", **SMALL)
    assert not run.is_finished
    assert not Run.open(run.path).is_finished
    assert [record["part"] for record in run.metrics] == ["train", "test"]
    assert Run.open(run.path).predict(vowels).equals(run.predict(vowels))


def test_ctrl_c_in_the_first_epoch_without_a_test_part(vowels: Sequences, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Progress, "show", _interrupt)
    run = fit(vowels, target="speaker", test_fraction=0.0, **SMALL)
    assert run.metrics == []
    assert Run.open(run.path).predict(vowels).num_rows == len(vowels)


def test_a_run_that_fails_leaves_nothing_and_the_old_run_stays(
    vowels: Sequences, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = fit(vowels, target="speaker", out="here", **SMALL).predict(vowels)
    hopeless = {"learning_rate": 1e30, "gradient_clip": 1e30} | SMALL
    for out in ("here", "there"):
        with pytest.raises(ds.DrystoneError, match="loss is"):
            fit(vowels, target="speaker", out=out, overwrite=True, **hopeless)
    monkeypatch.setattr(import_module("drystone.train.fit"), "save_file", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit(vowels, target="speaker", out="here", overwrite=True, **SMALL)
    assert [path.name for path in Path().iterdir()] == ["here"]
    assert Run.open("here").predict(vowels).equals(old)


def test_folders_in_the_way(vowels: Sequences, tmp_path: Path) -> None:
    run = fit(vowels, target="speaker", out="here", **SMALL)
    with pytest.raises(ds.RunError, match="here exists"):
        fit(vowels, target="speaker", out="here", **SMALL)
    again = fit(vowels, target="speaker", out="here", overwrite=True, **(SMALL | {"epochs": 1}))
    assert len(again.metrics) == 2
    precious = tmp_path / "precious"
    precious.mkdir()
    assert fit(vowels, target="speaker", out="precious", **SMALL).is_finished
    for file in precious.iterdir():
        file.unlink()
    for name in ("thesis.txt", "config.toml"):
        (precious / name).write_text("years of work")
        with pytest.raises(ds.RunError, match=r"holds thesis.txt, which is not part of a run"):
            fit(vowels, target="speaker", out=precious, overwrite=True, **SMALL)
    (precious / "thesis.txt").unlink()
    with pytest.raises(ds.RunError, match="not a run folder"):
        fit(vowels, target="speaker", out=precious, overwrite=True, **SMALL)
    assert (precious / "config.toml").read_text() == "years of work"
    assert run.path == Path("here")


def test_damaged_run_folders_say_what_is_wrong(vowels: Sequences) -> None:
    path = fit(vowels, target="speaker", **SMALL).path
    with pytest.raises(ds.RunError, match="no run folder runs/none"):
        Run.open("runs/none")
    weights = path / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ds.RunError, match="does not hold the weights"):
        Run.open(path)
    weights.unlink()
    with pytest.raises(ds.RunError, match="weights.safetensors is missing"):
        Run.open(path)
    weights.write_bytes(whole)
    for name, words in (("split.parquet", "not a whole split"), ("metrics.jsonl", "not JSON")):
        file = path / name
        kept = file.read_bytes()
        file.write_bytes(kept[: len(kept) // 2])
        with pytest.raises(ds.RunError, match=words):
            _ = Run.open(path).metrics
        file.write_bytes(kept)
    (path / "schema.json").write_text('{"version": 99}')
    with pytest.raises(ds.RunError, match="version 99"):
        Run.open(path)
    (path / "schema.json").write_text('{"version": 1')
    with pytest.raises(ds.RunError, match="not a whole schema"):
        Run.open(path)
    (path / "config.toml").write_text("target = ")
    with pytest.raises(ds.ConfigError, match="not valid TOML"):
        Run.open(path)
