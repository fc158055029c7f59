"""`drystone predict --follow` as a process of its own: lines in, lines out, over kills and signals."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import drystone as ds
from drystone.cli.main import main
from drystone.train import Run
from tests.cli.small import write_tiny

STREAMS = 3
STEPS = np.random.default_rng(0).integers(0, 20, (40, STREAMS)).astype(float)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a run that can go on step by step."""
    place = tmp_path_factory.mktemp("follow")
    write_tiny(place)
    settings: dict[str, Any] = {"hidden_size": 3, "epochs": 2, "pooling": "mean+max", "progress": False}
    ds.fit(place / "tiny.parquet", "y", out=place / "run", bidirectional=False, **settings)
    return place


@contextmanager
def following(folder: Path, *options: str) -> "Iterator[subprocess.Popen[bytes]]":
    command = [sys.executable, "-m", "drystone", "predict", str(folder / "run"), "-", "--follow", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            yield process
        finally:
            process.kill()


def send(process: "subprocess.Popen[bytes]", *records: Any) -> list[dict[str, Any]]:
    """Sends lines together, and waits for an answer to each."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"".join(json.dumps(record).encode() + b"\n" for record in records))
    process.stdin.flush()
    return [json.loads(process.stdout.readline()) for _ in records]


def records(step: int) -> list[dict[str, Any]]:
    return [{"stream": f"s{number}", "x": STEPS[step, number], "step": step} for number in range(STREAMS)]


def expected(folder: Path, step: int) -> list[float]:
    """The probability of b of each stream, as `predict` finds it for all of its steps so far."""
    seqs = ds.Sequences.from_arrays({"x": [STEPS[: step + 1, number] for number in range(STREAMS)]})
    return Run.open(folder / "run").predict(seqs)["p_b"].to_pylist()


def check(folder: Path, step: int, answers: list[dict[str, Any]]) -> None:
    assert [(answer["stream"], answer["step"]) for answer in answers] == [(f"s{at}", step) for at in range(STREAMS)]
    found = [answer["p_b"] for answer in answers]
    np.testing.assert_allclose(found, expected(folder, step), atol=1e-5)
    assert all(answer["prediction"] == ("b" if answer["p_b"] > 0.5 else "a") for answer in answers)


@pytest.mark.slow
def test_a_killed_process_goes_on_where_it_was(folder: Path, tmp_path: Path) -> None:
    """Killed between savings, then stopped by SIGTERM, then sent bad lines too, and ended by the end of its input."""
    state = tmp_path / "states.safetensors"
    options = ("--state", str(state), "--save-seconds", "1000")
    with following(folder, *options) as process:
        for step in range(7):
            answers = send(process, *records(step))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    check(folder, 6, answers)
    assert not state.exists()
    with following(folder, *options) as process:
        for step in range(7, 12):
            answers = send(process, *records(step))
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
        assert process.stderr is not None
        words = process.stderr.read().decode()
    assert "going on with 3 streams" in words
    assert "s0 from step 7" in words
    check(folder, 11, answers)
    assert state.exists()
    with following(folder, *options) as process:
        late, *answers = send(process, records(11)[0], *records(12))
        assert late["field"] == "step"
        assert "it came already" in late["error"]
        check(folder, 12, answers)
        bad = send(process, {"stream": "s0", "x": None}, {"stream": 5, "x": 1}, {"stream": "s1", "y": 2}, [])
        assert [answer.get("field") for answer in bad] == ["x", "stream", "x", None]
        assert [answer["line"] for answer in bad] == [5, 6, 7, 8]
        check(folder, 13, send(process, *records(13)))
        out, _ = process.communicate(json.dumps(records(14)[0]).encode())  # a last line without an end
        assert (process.returncode, json.loads(out)["step"]) == (0, 14)


def test_ctrl_c_ends_it_with_all_states_saved(folder: Path, tmp_path: Path) -> None:
    state = tmp_path / "states.safetensors"
    with following(folder, "--state", str(state)) as process:
        send(process, *records(0))
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
    assert state.exists()


def test_nobody_reads_the_answers(folder: Path, tmp_path: Path) -> None:
    with following(folder, "--state", str(tmp_path / "s.safetensors")) as process:
        send(process, *records(0))
        assert process.stdout is not None
        process.stdout.close()
        assert process.stdin is not None
        process.stdin.write(json.dumps(records(1)[0]).encode() + b"\n")
        process.stdin.close()
        assert process.wait() == 1
        assert process.stderr is not None
        words = process.stderr.read().decode()
    assert words.endswith("nobody reads the predictions any more; stopped.\n")
    assert "Traceback" not in words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-",), "- is standard input, which needs --follow"),
        (("tiny.parquet", "--follow"), "predict RUN - --follow < tiny.parquet"),
        (("-", "--follow", "--out", "a.csv", "--order-by", "t"), "--out, --order-by goes with files"),
        (("tiny.parquet", "--state", "a", "--out", "b.csv"), "--state goes with --follow"),
        (("tiny.parquet",), "say what to write with --out"),
        (("-", "--follow", "--save-seconds", "0"), "--save-seconds is 0.0; it must be above 0"),
        (("-", "--follow", "--max-streams", "-2"), "--max-streams is -2; it must be above 0"),
        (("-", "--follow", "--state", "no/such/a.safetensors"), "there is no folder"),
        (("-", "--follow", "--state", "tiny.parquet"), "tiny.parquet is"),
    ],
)
def test_what_does_not_go_together(
    folder: Path,
    arguments: tuple[str, ...],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["drystone", "predict", "run", *arguments])
    before = (folder / "tiny.parquet").read_bytes()
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert words in capsys.readouterr().err
    assert (folder / "tiny.parquet").read_bytes() == before


def test_a_model_that_reads_backward_cannot_follow(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    ds.fit("tiny.parquet", "y", out="both", hidden_size=3, epochs=1, progress=False)
    monkeypatch.setattr(sys, "argv", ["drystone", "predict", "both", "-", "--follow"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "bidirectional" in capsys.readouterr().err
