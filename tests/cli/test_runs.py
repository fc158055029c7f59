"""`drystone runs`: its table, its JSON, damage, and that nothing is left out or made up."""

import errno
import json
import os
import signal
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from filelock import FileLock

import drystone as ds
from drystone.train.folder.manifest import Manifest
from tests.cli.small import signal_after_first_epoch, write_tiny

NAMES = ["tiny-1", "valid", "half"]


@pytest.fixture(scope="module")
def three_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs and a stopped one, in the order in which they began."""
    folder = tmp_path_factory.mktemp("three")
    write_tiny(folder)
    options = {"epochs": 4, "hidden_size": 3, "batch_size": 8, "progress": False}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        ds.fit("tiny.parquet", "y", out="runs/tiny-1", **options)
        ds.fit(
            "tiny.parquet", "y", out="runs/valid", valid_fraction=0.25, test_fraction=0, monitor="accuracy", **options
        )
        with signal_after_first_epoch(signal.SIGTERM):
            ds.fit("tiny.parquet", "y", out="runs/half", **options)
    for number, name in enumerate(NAMES):
        began(folder / "runs" / name, f"2026-01-0{number + 1}T12:00:00+00:00")
    return folder


@pytest.fixture
def made(program: Any, three_runs: Path) -> list[str]:
    """A copy of the three runs in the folder of the test; gives their names."""
    copytree(three_runs, ".", dirs_exist_ok=True)
    return NAMES


def began(run: Path, when: str) -> None:
    """Sets when a run began, as if it had been then."""
    path = run / "environment.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"started": when}))
    manifest = Manifest.read(run)
    Manifest.of(run, manifest.status).save(run)


def records(program: Any, *arguments: str) -> list[dict[str, Any]]:
    code, out, err = program("runs", "--json", *arguments)
    assert (code, err) == (0, "")
    return json.loads(out)


def test_the_newest_come_first_with_their_best_figures(program: Any, made: list[str]) -> None:
    half, valid, plain = records(program)
    assert [found["path"] for found in (half, valid, plain)] == [f"runs/{name}" for name in reversed(made)]
    assert [found["status"] for found in (half, valid, plain)] == ["stopped", "finished", "finished"]
    assert (plain["epochs"], plain["max_epochs"], plain["target"], plain["data"]) == (4, 4, "y", "tiny.parquet")
    assert (plain["best"], plain["monitor"], plain["started"]) == (None, None, "2026-01-01T12:00:00+00:00")
    lines = [json.loads(line) for line in Path("runs/tiny-1/metrics.jsonl").read_text().splitlines()]
    assert plain["test"] == lines[-1]["accuracy"]
    lines = [json.loads(line) for line in Path("runs/valid/metrics.jsonl").read_text().splitlines()]
    assert valid["best"] == max(line["accuracy"] for line in lines if line["part"] == "valid")
    assert (valid["monitor"], valid["test"]) == ("accuracy", None)
    assert (half["epochs"], half["test"]) == (1, None)


def test_the_lowest_loss_is_the_best(program: Any, tiny: list[str]) -> None:
    assert program("fit", *tiny, "--valid-fraction", "0.25", "--quiet")[0] == 0
    lines = [json.loads(line) for line in Path("runs/tiny-1/metrics.jsonl").read_text().splitlines()]
    (found,) = records(program)
    assert found["best"] == min(line["loss"] for line in lines if line["part"] == "valid")


@pytest.mark.parametrize("columns", ["30", "80", "200"])
def test_the_table_shows_every_figure_at_any_width(
    program: Any, made: list[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    code, out, err = program("runs")
    assert (code, err) == (0, "")
    for words in (*made, "finished", "stopped", "4/4", "1/4", "2026-01-01", f"{records(program)[1]['best']:.3f}"):
        assert words in out
    assert max(map(len, out.splitlines())) <= int(columns)


def test_what_is_no_run_is_left_out(program: Any, made: list[str]) -> None:
    Path("runs/.half.partial").mkdir()
    Path("runs/notes").mkdir()
    Path("runs/notes/config.toml").touch()
    Path("runs/file").touch()
    assert len(records(program)) == 3
    assert [found["path"] for found in records(program, "runs/valid", "runs/half")] == ["runs/half", "runs/valid"]
    assert len(records(program, "runs", "runs/valid")) == 3


def test_a_run_that_a_process_trains_now(program: Any, made: list[str]) -> None:
    with FileLock("runs/half/.lock"):
        assert [found["status"] for found in records(program)] == ["training", "finished", "finished"]


def drop(name: str) -> Any:
    return lambda run: (run / name).unlink()


def write(name: str, content: str) -> Any:
    return lambda run: (run / name).write_text(content)


DAMAGES = [
    (drop("run.json"), "run.json is missing"),
    (drop("weights.safetensors"), "weights.safetensors is missing"),
    (write("metrics.jsonl", ""), "metrics.jsonl was changed or damaged"),
    (write("config.toml", "x = 1"), "config.toml was changed or damaged"),
    (write("run.json", "{"), "run.json is damaged"),
    (write("run.json", '{"version": 9, "status": "finished", "files": {}}'), "version 9"),
    (
        write("run.json", '{"version": 2, "status": "finished", "files": {"weights.safetensors": 3}}'),
        "not those of a run",
    ),
]


@pytest.mark.parametrize(("damage", "words"), DAMAGES, ids=[words for _, words in DAMAGES])
def test_a_damaged_run_is_shown_with_what_is_wrong(program: Any, made: list[str], damage: Any, words: str) -> None:
    damage(Path("runs/tiny-1"))
    (found,) = (record for record in records(program) if record["path"] == "runs/tiny-1")
    assert found["status"] == "damaged"
    assert words in found["problem"]
    code, out, err = program("runs")
    assert (code, err) == (0, "")
    assert "damaged" in out
    assert words in " ".join(out.split())


def test_a_stopped_run_with_lines_that_make_no_sense(program: Any, made: list[str]) -> None:
    for content in ("nonsense\n", "[]\n", '{"part": "valid"}\n'):
        Path("runs/half/metrics.jsonl").write_text(content)
        assert records(program)[0]["status"] == "damaged"


def test_large_files_are_proved_when_asked_for(program: Any, made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path("runs/valid/weights.safetensors")
    path.write_bytes(path.read_bytes()[::-1])
    monkeypatch.setattr("drystone.cli.run_record.MAX_BYTES", path.stat().st_size - 1)
    assert records(program)[1]["status"] == "finished"
    assert "damaged" in {found["status"] for found in records(program, "--check")}


def test_nothing_is_said_to_be_nothing(program: Any) -> None:
    assert program("runs") == (0, "no runs in runs\n", "")
    assert records(program) == []
    code, out, err = program("runs", "gone")
    assert (code, out, err) == (2, "", "error: there is no folder gone.\n")


def test_a_folder_that_may_not_be_read(program: Any, made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.read_text

    def read_text(self: Path, *arguments: Any, **named: Any) -> str:
        if self.name == "run.json" and self.parent.name == "tiny-1":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return real(self, *arguments, **named)

    monkeypatch.setattr(Path, "read_text", read_text)
    status = {Path(found["path"]).name: (found["status"], found["problem"]) for found in records(program)}
    assert status["tiny-1"] == ("damaged", "[Errno 13] Permission denied: 'runs/tiny-1/run.json'")
    assert status["valid"] == ("finished", "")


def test_a_run_that_was_copied_is_a_run(program: Any, made: list[str]) -> None:
    copytree("runs/valid", "elsewhere/valid")
    assert records(program, "elsewhere")[0]["status"] == "finished"
