"""Trainings in processes of their own, which can be killed."""

import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event as Flag
from time import monotonic
from typing import Any

import drystone as ds
from drystone.train import Checkpoint, Event, Progress, Store
from tests.faults.small import SMALL, TARGET, vowels

# Forked from a process that has imported all and has run nothing, so that each starts at once and without threads.
CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(["drystone.train", "drystone.plots.curves", "tests.faults.child"])

CHANGES = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "shutil.rmtree")
PATIENCE = 120.0  # seconds until a process counts as stuck


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment at which a process kills itself: just before it touches a file.

    Args:
        change: what it is about to do, an event of `sys.addaudithook`.
        name: what is in the path; of a file that is renamed, in the new one.
        number: how many of these go before.
        later: how many file operations come after that.
    """

    change: str
    name: str
    number: int = 0
    later: int = 0


@contextmanager
def running(target: Callable[..., None], *args: Any) -> Iterator[BaseProcess]:
    """A process of its own, which is gone in the end, whatever happens."""
    process = CONTEXT.Process(target=_quiet, args=(target, *args))
    process.start()
    try:
        yield process
        process.join(PATIENCE)
        assert process.exitcode is not None, "the process is stuck"
    finally:
        process.kill()
        process.join()


def killed(target: Callable[..., None], *args: Any) -> None:
    """Runs a process that kills itself, and proves that it did."""
    with running(target, *args) as process:
        pass
    assert process.exitcode == -signal.SIGKILL


def wait_for(what: Callable[[], bool], process: BaseProcess) -> None:
    """Waits for something that a process does."""
    until = monotonic() + PATIENCE
    while not what():
        assert process.is_alive(), f"the process ended with {process.exitcode}"
        assert monotonic() < until, "the process is stuck"
        wait(0.001)


def wait(seconds: float) -> None:
    Flag().wait(seconds)


def train(out: Path, settings: dict[str, Any]) -> None:
    ds.fit(vowels(), TARGET, out=out, **SMALL, **settings)


def train_in_steps(out: Path, settings: dict[str, Any], go_on: Path) -> None:
    """Waits after the third update, and all that it saved, for a file to appear: see `waiting_for`."""
    real, waiting = Progress.__call__, waiting_for(go_on)

    def watch(progress: Progress, event: Event) -> None:
        real(progress, event)
        if event.update == 4:
            waiting.touch()
            while not go_on.exists():
                wait(0.001)
            waiting.unlink()

    Progress.__call__ = watch
    train(out, settings)


def waiting_for(go_on: Path) -> Path:
    """Returns the file that is there as long as `train_in_steps` waits for another."""
    return go_on.with_name(f"waiting for {go_on.name}")


def train_until(moment: Moment, out: Path, settings: dict[str, Any]) -> None:
    kill_at(moment)
    train(out, settings)


def resume_until(moment: Moment, out: Path) -> None:
    kill_at(moment)
    ds.resume(out, vowels(), progress=False)


def save_until(moment: Moment, out: Path, update: int) -> None:
    kill_at(moment)
    Store(out).save(update, Checkpoint(state={"it": "second"}, best=None))


def kill_at(moment: Moment) -> None:
    """Kills this process with SIGKILL once the moment comes."""
    to_come, has_come = moment.number + 1, False
    later = moment.later

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal to_come, has_come, later
        if event not in CHANGES or not isinstance(args[0], (str, os.PathLike)):
            return
        if has_come:
            later -= 1
        elif event == moment.change and moment.name in str(args[1] if event == "os.rename" else args[0]):
            to_come -= 1
            has_come = to_come == 0
        if has_come and later == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _quiet(target: Callable[..., None], *args: Any) -> None:
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "drystone's native core is not built")
    target(*args)
