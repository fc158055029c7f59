"""`drystone fit`, stopped, failed, and gone on with."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

import drystone as ds
from drystone.train import Saver
from tests.cli.small import signal_after_first_epoch

SIGNALS = {signal.SIGTERM: ("SIGTERM", 0), signal.SIGINT: ("Ctrl-C", 130)}
WAIT_SECONDS = 300  # for what takes a few on a machine that does nothing else


@pytest.fixture
def stopped(program: Any, tiny: list[str]) -> Path:
    """The folder `run`, stopped after an epoch, with two checkpoints."""
    with signal_after_first_epoch(signal.SIGTERM):
        assert program("fit", *tiny, "--out", "run", "--checkpoint-seconds", "0")[0] == 0
    assert len(list(Path("run/checkpoints").iterdir())) == 2
    return Path("run")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_stopped_run_says_how_to_go_on(program: Any, tiny: list[str], number: signal.Signals) -> None:
    by, expected = SIGNALS[number]
    with signal_after_first_epoch(number):
        code, out, err = program("fit", *tiny, "--out", "my run", "--quiet")
    assert (code, err) == (expected, "")
    assert out == f"stopped by {by}; resumable: drystone fit --resume 'my run'\n"
    code, out, err = program("fit", "--resume", "my run", "--quiet")
    assert (code, err) == (0, "")
    assert out.endswith("run folder my run\n")
    assert program("fit", *tiny, "--out", "whole", "--quiet")[:2] == (0, out.replace("my run", "whole"))
    assert Path("my run/weights.safetensors").read_bytes() == Path("whole/weights.safetensors").read_bytes()


def test_a_finished_run_is_finished(program: Any, tiny: list[str]) -> None:
    assert program("fit", *tiny, "--out", "run")[0] == 0
    before = contents(Path("run"))
    code, out, err = program("fit", "--resume", "run")
    assert (code, out, err) == (0, "run is finished already: there is nothing to go on with.\n", "")
    assert contents(Path("run")) == before


def test_data_that_were_moved_are_given(program: Any, stopped: Path) -> None:
    Path("tiny.parquet").rename("moved.parquet")
    before = contents(stopped)
    code, out, err = program("fit", "--resume", "run")
    assert (code, out) == (2, "")
    assert "there is no file tiny.parquet" in err
    assert "drystone fit DATA --resume run" in err
    assert contents(stopped) == before
    assert program("fit", "moved.parquet", "--resume", "run")[0] == 0


def test_a_run_of_sequences_in_memory_is_given_its_data(program: Any, tiny: list[str]) -> None:
    with signal_after_first_epoch(signal.SIGTERM):
        ds.fit(ds.read("tiny.parquet"), "y", out="run", hidden_size=3, epochs=2, progress=False)
    code, out, err = program("fit", "--resume", "run")
    assert (code, out) == (2, "")
    assert "it was made from sequences in memory" in err
    assert "Give the data of the run: drystone fit DATA --resume run" in err
    assert program("fit", "tiny.parquet", "--resume", "run", "--quiet")[::2] == (0, "")


def test_empty_sequences_are_left_out_again(program: Any, tmp_path: Path) -> None:
    table = pa.table({"x": [[1.0, 2.0], [], [3.0], [4.0], [5.0, 1.0]], "y": ["a", "b", "b", "a", "b"]})
    pq.write_table(table, tmp_path / "e.parquet")
    fast = ["--epochs", "2", "--hidden-size", "3", "--test-fraction", "0", "--quiet"]
    with signal_after_first_epoch(signal.SIGTERM):
        assert program("fit", "e.parquet", "--target", "y", "--drop-empty", *fast)[0] == 0
    code, out, err = program("fit", "--resume", "runs/e-1", "--quiet")
    assert (code, err) == (0, "dropped 1 empty sequence: 1\n")
    assert out.startswith("train 4 sequences;")


def change(stopped: Path, name: str) -> None:
    path = stopped / name
    path.write_bytes(path.read_bytes() + b" ")


def another_version(stopped: Path) -> None:
    path = stopped / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 99}))


def all_checkpoints_damaged(stopped: Path) -> None:
    for file in stopped.glob("checkpoints/*/state.json"):
        file.write_text("{}")


BAD: list[tuple[list[str], Any, str]] = [
    (["--resume", "gone"], None, "there is no run folder gone"),
    (["--resume", "empty"], None, "empty is not a run folder: run.json is missing"),
    (["--resume", "run", "--epochs", "9"], None, "with the settings that it began with: leave out --epochs"),
    (["--resume", "run", "--config", "a.toml"], None, "leave out --config"),
    (["--resume", "run", "--no-overwrite"], None, "leave out --overwrite"),
    (["japanese-vowels", "--resume", "run"], None, "not the sequences that the run was made from"),
    (["gone.parquet", "--resume", "run"], None, "no file gone.parquet"),
    (["--resume", "run"], another_version, "run is a run folder of version 99"),
    (["--resume", "run"], lambda run: (run / "split.parquet").unlink(), "split.parquet is missing"),
    (["--resume", "run"], lambda run: change(run, "config.toml"), "config.toml was changed or damaged"),
    (["--resume", "run"], lambda run: (run / "run.json").write_text("{"), "run.json is damaged"),
    (["--resume", "run"], all_checkpoints_damaged, "no checkpoint in run/checkpoints is whole"),
]


@pytest.mark.parametrize(("arguments", "damage", "words"), BAD, ids=[words for _, _, words in BAD])
def test_what_cannot_go_on_is_said_and_left_as_it_is(
    program: Any, stopped: Path, tmp_path: Path, arguments: list[str], damage: Any, words: str
) -> None:
    Path("empty").mkdir()
    if damage is not None:
        damage(stopped)
    before = contents(tmp_path)
    code, out, err = program("fit", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    assert contents(tmp_path) == before


def test_another_process_that_trains_in_the_folder(program: Any, stopped: Path) -> None:
    before = contents(stopped)
    with FileLock(stopped / ".lock"):
        code, out, err = program("fit", "--resume", "run")
    assert (code, out) == (2, "")
    assert "another process is training in run" in err
    assert contents(stopped) == before


@pytest.mark.filterwarnings("always")
def test_a_damaged_checkpoint_falls_back_to_the_one_before(program: Any, stopped: Path) -> None:
    change(sorted(stopped.glob("checkpoints/*"))[-1], "state.json")
    code, out, err = program("fit", "--resume", "run", "--quiet")
    assert code == 0
    assert err.startswith("warning: run/checkpoints/update-00000003/state.json is damaged")
    assert "Training goes on from the checkpoint before it." in err
    assert out.endswith("run folder run\n")


DIVERGES = [
    "--hidden-size",
    "32",
    "--learning-rate",
    "3e37",
    "--gradient-clip",
    "0",
    "--schedule",
    "constant",
    "--warmup",
    "0",
]


def test_a_loss_that_is_not_finite_names_the_checkpoint(program: Any, tiny: list[str]) -> None:
    code, out, err = program("fit", *tiny, *DIVERGES, "--quiet", "--out", "run", "--checkpoint-seconds", "0")
    assert (code, out) == (2, "")
    assert err.startswith("error: the loss is nan in epoch 1, batch 1 (update 2), of sequence")
    assert "The run is resumable from its checkpoint of update 1: drystone fit --resume run\n" in err
    assert "begin a new run: drystone fit --config run/config.toml" in err
    assert Path("run/checkpoints/update-00000001").is_dir()
    code, out, err = program("fit", *tiny, *DIVERGES, "--quiet", "--out", "none")
    assert (code, out) == (2, "")
    assert "It came before the first checkpoint, so nothing of this run is kept." in err
    assert not Path("none").exists()


def test_a_full_disk_keeps_what_was_saved(program: Any, tiny: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = Saver.save

    def save(self: Saver) -> None:
        if self._trainer.counts.updates == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "run/checkpoints/state")
        real(self)

    with monkeypatch.context() as patch:
        patch.setattr(Saver, "save", save)
        code, out, err = program("fit", *tiny, "--quiet", "--out", "run", "--checkpoint-seconds", "0")
    assert (code, out) == (2, "")
    assert err == (
        "error: run/checkpoints/state: No space left on device.\n"
        "The run is resumable from its checkpoint of update 2: drystone fit --resume run\n"
    )
    assert program("fit", "--resume", "run")[0] == 0


@pytest.mark.slow
def test_real_signals_to_real_processes(tmp_path: Path) -> None:
    fit = [sys.executable, "-m", "drystone", "fit", "japanese-vowels", "--hidden-size", "4", "--epochs", "100000"]
    processes = {
        number: subprocess.Popen(
            [*fit, "--checkpoint-seconds", "0", "--quiet", "--out", number.name],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in SIGNALS
    }
    try:
        for number, process in processes.items():
            deadline = monotonic() + WAIT_SECONDS
            while not any(tmp_path.glob(f"{number.name}/checkpoints/update-*")):
                assert process.poll() is None
                assert monotonic() < deadline
                sleep(0.05)
            process.send_signal(number)
        for number, process in processes.items():
            by, code = SIGNALS[number]
            out, _ = process.communicate(timeout=WAIT_SECONDS)
            assert process.returncode == code
            assert out == f"stopped by {by}; resumable: drystone fit --resume {number.name}\n"
    finally:
        for process in processes.values():
            process.kill()
            process.communicate()
