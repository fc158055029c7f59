"""Run folders: whole, or not there; also after Ctrl-C, failures and damage."""

import json
import signal
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import drystone as ds
from drystone.core.sequences import Sequences
from drystone.train import Progress, Run, Updated, fit, resume
from drystone.train.folder.manifest import VERSION
from tests.train.small import SMALL


def test_the_run_folder_holds_everything_and_opens_again(vowels: Sequences) -> None:
    run = fit(vowels, target="speaker", valid_fraction=0.2, name="vowels", **SMALL)
    assert run.path == Path("runs/vowels-1")
    assert {file.name for file in run.path.iterdir() if file.name != ".lock"} == {
        "run.json",
        "config.toml",
        "environment.json",
        "schema.json",
        "statistics.json",
        "checkpoints",
        "weights.safetensors",
        "metrics.jsonl",
        "plan.zip",
        "split.parquet",
        "curves.png",
        "confusion.png",
    }
    records = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert [(record["part"], record["epoch"]) for record in records] == [
        ("train", 1),
        ("valid", 1),
        ("train", 2),
        ("valid", 2),
        ("test", 2),
    ]
    assert all({"loss", "accuracy", "sequences", "steps", "seconds", "update"} <= record.keys() for record in records)
    plan = ds.Plan.load(run.path / "plan.zip")
    plan.check()
    assert plan.lengths.tolist() == vowels.lengths[run.split.train].tolist()
    opened = Run.open(run.path)
    assert opened.settings == run.settings
    assert opened.schema == run.schema
    assert opened.predict(vowels).equals(run.predict(vowels))
    assert opened.evaluate(vowels.select(run.split.test)).accuracy == records[-1]["accuracy"]
    assert fit(vowels, target="speaker", name="vowels", **SMALL).path == Path("runs/vowels-2")


def test_what_a_run_was_made_in_is_recorded(vowels: Sequences) -> None:
    run = fit(vowels, target="speaker", **SMALL)
    found = json.loads((run.path / "environment.json").read_text())
    assert found["libraries"]["torch"] == torch.__version__
    assert found["threads"] == torch.get_num_threads()
    assert found["device"] == "cpu"
    statistics = json.loads((run.path / "statistics.json").read_text())
    assert list(statistics) == [f"x[{number}]" for number in range(12)]
    assert statistics["x[3]"]["mean"] == run.model.mean[3].item()


def _at_update(monkeypatch: pytest.MonkeyPatch, update: int, do: Any) -> None:
    """Does something when an update was made."""
    real = Progress.__call__

    def watch(self: Progress, event: Any) -> None:
        real(self, event)
        if isinstance(event, Updated) and event.update == update:
            do()

    monkeypatch.setattr(Progress, "__call__", watch)


def test_ctrl_c_stops_after_the_batch_and_resume_goes_on_to_the_same_weights(
    vowels: Sequences, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit(vowels, target="speaker", **SMALL)
    assert whole.is_finished
    with monkeypatch.context() as patch:
        _at_update(patch, 9, lambda: signal.raise_signal(signal.SIGINT))
        run = fit(vowels, target="speaker", **SMALL)
    assert (run.is_finished, run.stopped_by) == (False, signal.SIGINT)
    opened = Run.open(run.path)
    assert not opened.is_finished
    assert opened.predict(vowels).equals(run.predict(vowels))
    assert repr(opened).endswith("'speaker' in 3 classes, 1 epoch, stopped)")
    again = resume(run.path, vowels, progress=False)
    assert (again.is_finished, again.stopped_by) == (True, None)
    assert (again.path / "weights.safetensors").read_bytes() == (whole.path / "weights.safetensors").read_bytes()
    assert resume(run.path).predict(vowels).equals(whole.predict(vowels))


def test_ctrl_c_twice_ends_at_once(vowels: Sequences, monkeypatch: pytest.MonkeyPatch) -> None:
    def twice() -> None:
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)

    _at_update(monkeypatch, 1, twice)
    with pytest.raises(KeyboardInterrupt):
        fit(vowels, target="speaker", out="here", **SMALL)
    assert not Path("here").exists()


def test_the_best_weights_are_kept_unless_the_last_are_asked_for(vowels: Sequences) -> None:
    settings: dict[str, Any] = SMALL | {
        "epochs": 6,
        "learning_rate": 0.05,
        "valid_fraction": 0.3,
        "monitor": "accuracy",
    }
    best = fit(vowels, target="speaker", **settings)
    last = fit(vowels, target="speaker", keep="last", **settings)
    figures = [record["accuracy"] for record in best.metrics if record["part"] == "valid"]
    assert figures == [record["accuracy"] for record in last.metrics if record["part"] == "valid"]
    valid = vowels.select(best.split.valid)
    assert best.evaluate(valid).accuracy == max(figures)
    assert last.evaluate(valid).accuracy == figures[-1]
    checkpoint = max(best.path.glob("checkpoints/*"))
    kept, saved = load_file(best.path / "weights.safetensors"), load_file(checkpoint / "best.safetensors")
    assert all(torch.equal(kept[name], saved[name]) for name in kept)


def test_early_stopping_ends_a_run_that_gets_no_better(vowels: Sequences) -> None:
    settings: dict[str, Any] = SMALL | {"epochs": 60, "learning_rate": 0.05, "valid_fraction": 0.3}
    run = fit(vowels, target="speaker", monitor="accuracy", patience=3, **settings)
    figures = [record["accuracy"] for record in run.metrics if record["part"] == "valid"]
    assert run.is_finished
    assert len(figures) < 60
    assert figures.index(max(figures)) == len(figures) - 4
    with pytest.raises(ds.ConfigError, match="monitor is 'auc'; the figures are: loss, accuracy, f1"):
        fit(vowels, target="speaker", monitor="auc", **(settings | {"epochs": 1}))


def test_a_run_that_fails_before_a_checkpoint_leaves_nothing_and_the_old_run_stays(vowels: Sequences) -> None:
    old = fit(vowels, target="speaker", out="here", **SMALL).predict(vowels)
    hopeless = {"learning_rate": 1e30, "gradient_clip": 0} | SMALL
    for out in ("here", "there"):
        with pytest.raises(ds.NotFiniteError, match=" is "):
            fit(vowels, target="speaker", out=out, overwrite=True, **hopeless)
    assert [path.name for path in Path().iterdir()] == ["here"]
    assert Run.open("here").predict(vowels).equals(old)


def test_folders_in_the_way(vowels: Sequences, tmp_path: Path) -> None:
    run = fit(vowels, target="speaker", out="here", **SMALL)
    with pytest.raises(ds.RunError, match="here exists"):
        fit(vowels, target="speaker", out="here", **SMALL)
    again = fit(vowels, target="speaker", out="here", overwrite=True, **(SMALL | {"epochs": 1}))
    assert len(again.metrics) == 2
    assert not Path(".here.replaced").exists()
    precious = tmp_path / "precious"
    precious.mkdir()
    assert fit(vowels, target="speaker", out="precious", **SMALL).is_finished
    rmtree(precious)
    precious.mkdir()
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
    for name in ("weights.safetensors", "split.parquet", "metrics.jsonl", "config.toml", "schema.json"):
        file = path / name
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ds.RunError, match=f"{name} was changed or damaged"):
            Run.open(path)
        file.unlink()
        with pytest.raises(ds.RunError, match=f"{name} is missing"):
            Run.open(path)
        file.write_bytes(whole)
    Run.open(path)
    manifest = json.loads((path / "run.json").read_text())
    for content, words in (
        (json.dumps(manifest | {"version": 99}), "is a run folder of version 99, written by drystone 0.1.0"),
        (json.dumps({"version": VERSION}), "status or files are missing"),
        ("{", "run.json is damaged"),
        ("[]", "run.json is damaged"),
    ):
        (path / "run.json").write_text(content)
        with pytest.raises(ds.RunError, match=words):
            Run.open(path)
    (path / "run.json").unlink()
    with pytest.raises(ds.RunError, match="not a run folder: run.json is missing"):
        Run.open(path)
