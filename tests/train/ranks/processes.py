"""Processes that train together, as torchrun starts them, and sooner: forked from one that has imported all."""

import os
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic
from typing import Any

from torch.distributed import TCPStore

CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["drystone.train", "drystone.plots.curves", "tests.train.ranks.own_loop", "tests.train.ranks.runs", "pandas"]
)

PATIENCE = 120.0  # seconds until processes count as stuck


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What became of a process: what it returned, what it raised, or the signal that ended it."""

    value: Any = None
    error: Exception | None = None
    signal: int | None = None


@contextmanager
def started(num_ranks: int, target: Callable[..., Any], *args: Any, timeout: float = 60.0) -> Iterator[list["Child"]]:
    """Processes of their own, which are gone in the end, whatever happens; the store is in this one, as torchrun has it.

    Args:
        num_ranks: how many.
        target: what each calls.
        args: what it is given.
        timeout: seconds that a rank is waited for.
    """
    store = TCPStore("localhost", 0, is_master=True, wait_for_workers=False)
    world = {
        "WORLD_SIZE": str(num_ranks),
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": str(store.port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",
        "DRYSTONE_RANKS_TIMEOUT": str(timeout),
    }
    children: list[Child] = []
    try:
        for rank in range(num_ranks):
            here, there = CONTEXT.Pipe()
            process = CONTEXT.Process(
                target=_run, args=(there, {**world, "RANK": str(rank)}, str(Path.cwd()), target, args)
            )
            process.start()
            there.close()
            children.append(Child(process, here))
        yield children
    finally:
        for child in children:
            child.process.kill()
            child.process.join()
            child.pipe.close()


class Child:
    """One of these processes."""

    def __init__(self, process: BaseProcess, pipe: Connection) -> None:
        self.process = process
        self.pipe = pipe

    def kill(self, number: int = signal.SIGKILL) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def came(self, seconds: float = PATIENCE) -> Came:
        """Waits for its end."""
        until = monotonic() + seconds
        assert wait([self.pipe, self.process.sentinel], max(until - monotonic(), 0)), "a process is stuck"
        try:
            found = self.pipe.recv() if self.pipe.poll() else None
        except EOFError:
            found = None
        self.process.join(max(until - monotonic(), 0.1))
        if found is not None:
            return found
        assert self.process.exitcode is not None, "a process is stuck"
        return Came(signal=-self.process.exitcode)


def together(num_ranks: int, target: Callable[..., Any], *args: Any, timeout: float = 60.0) -> list[Came]:
    """Returns what became of each process."""
    with started(num_ranks, target, *args, timeout=timeout) as children:
        return [child.came() for child in children]


def values(num_ranks: int, target: Callable[..., Any], *args: Any) -> list[Any]:
    """Returns what each process returned."""
    found = []
    for came in together(num_ranks, target, *args):
        if came.error is not None:
            raise came.error
        assert came.signal is None
        found.append(came.value)
    return found


def _run(
    pipe: Connection, world: dict[str, str], folder: str, target: Callable[..., Any], args: tuple[Any, ...]
) -> None:
    os.environ.update(world)
    os.chdir(folder)
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "drystone's native core is not built")
    warnings.filterwarnings("ignore", "the rows of a batch do not share out evenly")  # nor do the few of a test
    try:
        came = Came(value=target(*args))
    except Exception as error:  # noqa: BLE001  (told to the test)
        came = Came(error=error)
    pipe.send(came)
