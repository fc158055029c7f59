"""Ctrl-C and SIGTERM, whenever they come: what is there is saved, and goes on to the same weights, to the bit."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import drystone as ds
from drystone.core.sequences import Sequences
from drystone.train import Run, Store
from drystone.train.tasks.sequence.objective import SequenceLosses
from tests.faults.points import Points
from tests.faults.small import SMALL, TARGET, check_equal, figures_of, weights_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a process of Windows cannot send itself signals")

SHORT: dict[str, Any] = {"epochs": 2, "checkpoint_seconds": 1e9}


@pytest.fixture(autouse=True)
def _evaluations_of_many_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drystone.train.loaders.prediction_layout", lambda _: ds.Padded(3, order="given"))


class Calls:
    """The parts whose batches a model was given, in order; at one of them something happens."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: Callable[[int], None]) -> None:
        self.modes: list[str] = []
        real = SequenceLosses.__call__

        def call(task: SequenceLosses, model: Any, batch: Any, state: Any) -> Any:
            self.modes.append("train" if model.training else "evaluate")
            at(len(self.modes) - 1)
            return real(task, model, batch, state)

        monkeypatch.setattr(SequenceLosses, "__call__", call)


@pytest.fixture
def uninterrupted(seqs: Sequences, tmp_path: Path) -> tuple[Path, list[str]]:
    """A run, and what its model was called for."""
    with pytest.MonkeyPatch.context() as patch:
        calls = Calls(patch, lambda _: None)
        run = ds.fit(seqs, TARGET, out=tmp_path / "whole", **SMALL, **SHORT)
    return run.path, calls.modes


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_at_any_batch(
    number: signal.Signals, uninterrupted: tuple[Path, list[str]], seqs: Sequences, tmp_path: Path
) -> None:
    whole, modes = uninterrupted
    first_of_test = len(modes) - 1 - modes[::-1].index("train")
    assert modes[first_of_test:].count("evaluate") > 6, "the last validation and the test"
    for stop_at in range(0, len(modes) - 1, 3):
        path = tmp_path / str(stop_at)
        with pytest.MonkeyPatch.context() as patch:
            Calls(patch, lambda call, stop_at=stop_at: call == stop_at and os.kill(os.getpid(), number))
            run = ds.fit(seqs, TARGET, out=path, **SMALL, **SHORT)
        assert (run.stopped_by, run.is_finished) == (number, False), f"stopped in {modes[stop_at]} batch {stop_at}"
        assert not Run.open(path).is_finished
        assert not (path / "run.json").read_text().count("finished")
        ds.resume(path, seqs, progress=False)
        check_equal(path, whole)


def test_a_signal_at_the_last_batch_of_all_comes_too_late(
    uninterrupted: tuple[Path, list[str]], seqs: Sequences, tmp_path: Path
) -> None:
    whole, modes = uninterrupted
    last = len(modes) - 1
    with pytest.MonkeyPatch.context() as patch:
        Calls(patch, lambda call: call == last and os.kill(os.getpid(), signal.SIGTERM))
        run = ds.fit(seqs, TARGET, out=tmp_path / "late", **SMALL, **SHORT)
    assert (run.stopped_by, run.is_finished) == (None, True)
    check_equal(run.path, whole)


def test_stopped_again_and_again(seqs: Sequences, tmp_path: Path) -> None:
    settings: dict[str, Any] = {**SMALL, **SHORT, "epochs": 4}
    whole = ds.fit(seqs, TARGET, out=tmp_path / "whole", **settings).path
    path, stops = tmp_path / "again", 0
    with pytest.MonkeyPatch.context() as patch:
        # More batches than the figures and the pictures at the end take, which are not cut into pieces.
        calls = Calls(patch, lambda call: call == 9 and os.kill(os.getpid(), signal.SIGTERM))
        run = ds.fit(seqs, TARGET, out=path, **settings)
        while run.stopped_by is not None:
            calls.modes.clear()
            stops += 1
            assert stops < 20, "no progress from stop to stop"
            run = ds.resume(path, seqs, progress=False)
    assert stops > 2
    check_equal(run.path, whole)


def test_the_handlers_of_the_user_are_back_afterwards(seqs: Sequences, tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.MonkeyPatch.context() as patch:
        Calls(patch, lambda call: call == 3 and os.kill(os.getpid(), signal.SIGTERM))
        ds.fit(seqs, TARGET, out=tmp_path / "run", **SMALL, **SHORT)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def twice() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)


EACH: dict[str, Any] = {"epochs": 1, "checkpoint_seconds": 0}


def test_ctrl_c_twice_ends_at_once_and_what_was_saved_is_whole(seqs: Sequences, tmp_path: Path) -> None:
    whole = ds.fit(seqs, TARGET, out=tmp_path / "whole", **SMALL, **EACH).path
    for stop_at in range(1, 8, 2):
        path = tmp_path / str(stop_at)
        with pytest.MonkeyPatch.context() as patch:
            calls = Calls(patch, lambda call, stop_at=stop_at: call == stop_at and twice())
            with pytest.raises(KeyboardInterrupt):
                ds.fit(seqs, TARGET, out=path, **SMALL, **EACH)
        assert len(calls.modes) == stop_at + 1
        assert Store(path / "checkpoints").newest()[1] == []
        ds.resume(path, seqs, progress=False)
        check_equal(path, whole)


@pytest.mark.slow
def test_ctrl_c_twice_while_files_are_written(seqs: Sequences, tmp_path: Path) -> None:
    whole = ds.fit(seqs, TARGET, out=tmp_path / "whole", **SMALL, **EACH).path
    num_stopped = 0
    for stop_at in range(40, 200, 11):
        path = tmp_path / str(stop_at)
        points = Points(path, lambda point, stop_at=stop_at: point == stop_at and twice())
        try:
            with points.watched():
                run = ds.fit(seqs, TARGET, out=path, **SMALL, **EACH)
        except KeyboardInterrupt:
            num_stopped += 1
        else:
            assert run.is_finished or run.stopped_by
        assert Store(path / "checkpoints").newest()[1] == []
        if path.exists():
            ds.resume(path, seqs, progress=False)
            assert weights_of(path) == weights_of(whole)
            assert figures_of(path) == figures_of(whole)
    assert num_stopped > 5
