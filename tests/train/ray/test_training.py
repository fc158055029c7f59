"""Training on Ray's workers: the figures of one process, workers that are killed, and errors that are told once."""

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from ray.train import FailureConfig, RunConfig, UserCallback

import drystone as ds
from drystone.core.errors import DataError, RunError
from drystone.train.ray import fit, resume
from tests.train.ranks import runs
from tests.train.ranks.test_runs import LAYOUTS, assert_equal
from tests.train.ray.shards import write_shards

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cluster")]
SETTINGS: dict[str, Any] = {name: value for name, value in runs.SETTINGS.items() if name != "progress"}
LONG: dict[str, Any] = {**SETTINGS, **LAYOUTS["padded"], "target": "y", "epochs": 80}


class Heard(UserCallback):
    """Writes down what Ray hears of figures, and of workers that fail."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def after_report(self, run_context: Any, metrics: list[dict[str, Any]], checkpoint: Any) -> None:
        self._write(metrics)

    def after_exception(self, run_context: Any, worker_exceptions: dict[int, Exception]) -> None:
        self._write([str(error) for error in worker_exceptions.values()])

    def _write(self, found: list[Any]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(found) + "\n")


def test_two_workers_train_on_shards_as_one_process_does(
    tmp_path: Path, run_config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**SETTINGS, **LAYOUTS["stateful"]}
    heard = tmp_path / "heard.jsonl"
    write_shards(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    run = fit("data", run_config=replace(run_config, callbacks=[Heard(heard)]), **settings)
    assert run.path == tmp_path / "runs" / "run-1"
    expected = runs.figures_of(ds.fit("data", out="one", progress=False, **settings))
    assert_equal(runs.figures_of(run), expected)
    assert any(record["part"] == "ranks" and len(record["waited"]) == 2 for record in run.metrics)
    of_ranks = [json.loads(line) for line in heard.read_text().splitlines()]
    assert [(first["part"], first["epoch"]) for first, _ in of_ranks] == [("train", 1), ("valid", 3)]
    assert all(first["loss"] == second["loss"] for first, second in of_ranks)


def test_workers_that_are_killed_are_started_again_and_go_on(tmp_path: Path, run_config: RunConfig) -> None:
    expected = runs.fit(tmp_path / "one", **LONG)
    out = tmp_path / "run"
    runs.fit(out, target="y", epochs=1)  # an older run, which is not the one to go on with
    older = started(out)
    heard = tmp_path / "heard.jsonl"
    told = lost(replace(run_config, callbacks=[Heard(heard)]), 1)
    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(_kill_a_worker, out, older)
        run = fit(runs.series(), out=out, overwrite=True, run_config=told, **LONG)
    assert started(out) == killed.result() != older  # one run, gone on with
    assert any("died" in str(each) for each in heard.read_text().splitlines())
    assert_equal(runs.figures_of(run), expected)


def test_a_run_that_ray_gave_up_goes_on_on_another_number_of_workers(tmp_path: Path, run_config: RunConfig) -> None:
    expected = runs.fit(tmp_path / "one", **LONG)
    out = tmp_path / "run"
    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(_kill_a_worker, out)
        with pytest.raises(RunError, match="Ray gave up the training: rank .* with the same data, by drystone"):
            fit(runs.series(), out=out, run_config=lost(run_config, 0), **LONG)
    assert killed.result() == started(out)
    run = resume(out, runs.series(), workers=1, run_config=replace(run_config, name="again"))
    assert_equal(runs.figures_of(run), expected)
    assert resume(out).is_finished  # at once, without workers


def test_what_is_wrong_with_the_data_is_said_once(tmp_path: Path, run_config: RunConfig) -> None:
    heard, before = tmp_path / "heard.jsonl", signal.getsignal(signal.SIGINT)
    with pytest.raises(DataError, match="nothing"):
        fit(
            runs.series(),
            "nothing",
            out=tmp_path / "run",
            run_config=lost(replace(run_config, callbacks=[Heard(heard)]), 2),
            **SETTINGS,
        )
    assert not (tmp_path / "run").exists()
    assert not heard.exists()  # no worker failed, and none reported
    assert signal.getsignal(signal.SIGINT) is before


def test_what_is_in_the_way_is_said_before_any_worker_starts(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match="run exists"):
        fit(runs.series(), "y", out=tmp_path / "run")
    with pytest.raises(ds.ConfigError, match="workers is 0"):
        fit(runs.series(), "y", workers=0, out=tmp_path / "other")
    with pytest.raises(ds.ConfigError, match="hidden_sise"):
        fit(runs.series(), "y", hidden_sise=3)
    with pytest.raises(RunError, match="not a run folder"):
        resume(tmp_path / "run")


def lost(run_config: RunConfig, times: int) -> RunConfig:
    """Returns what lets workers be lost so often."""
    return replace(run_config, failure_config=FailureConfig(max_failures=times))


def started(run: Path) -> str:
    """Returns what tells one run from another in its place."""
    return (run / "environment.json").read_text()


def _kill_a_worker(run: Path, older: str = "") -> str:
    """Kills a worker in the middle of a run, once it has two checkpoints; returns what tells the run from others."""
    until = monotonic() + 120
    while monotonic() < until:
        with suppress(OSError):  # not there yet, or just put aside
            if len(list((run / "checkpoints").glob("update-*"))) > 1 and (found := started(run)) != older:
                assert json.loads((run / "run.json").read_text())["status"] == "training"
                os.kill(_workers()[-1], signal.SIGKILL)
                return found
        sleep(0.01)
    raise AssertionError("no checkpoint came")


def _workers() -> list[int]:
    """Returns the processes of the workers of this process' cluster."""
    pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return sorted(pid for pid in pids if b"RayTrainWorker" in _read(pid, "cmdline") and os.getpid() in _above(pid))


def _above(pid: int) -> Iterator[int]:
    while pid > 1:
        pid = int(_read(pid, "stat").rpartition(b")")[2].split()[1])
        yield pid


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b") gone 0"
