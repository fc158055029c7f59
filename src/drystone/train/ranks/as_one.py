"""A run of several processes that looks like one: one folder, one voice, the same data and settings."""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from drystone.core.errors import RankError
from drystone.train.folder import names
from drystone.train.folder.environment import LIBRARIES
from drystone.train.folder.lock import locked
from drystone.train.folder.machine import version_of
from drystone.train.prepare import Prepared
from drystone.train.ranks.compare import check_equal
from drystone.train.ranks.ranks import Ranks

SECONDS_TO_SEE = 5.0  # that a file system over a network may need to show a new folder
WHERE = ("data", "valid", "test")  # settings that say where data lie, which may differ from machine to machine


@contextmanager
def as_one(ranks: Ranks) -> Iterator[None]:
    """Warnings are those of rank 0; a rank that ends with an error leaves the others, so that they do not wait for it."""
    with warnings.catch_warnings() if not ranks.is_first else ExitStack():
        if not ranks.is_first:
            warnings.simplefilter("ignore")
        try:
            yield
        except BaseException:
            ranks.leave()
            raise


@contextmanager
def held(folder: Path, ranks: Ranks) -> Iterator[None]:
    """Holds a run folder for all ranks.

    Raises:
        RunError: another process holds it.
        RankError: on the other ranks, likewise.
    """
    with ExitStack() as stack:
        ranks.by_first(lambda: stack.enter_context(locked(folder)))
        yield


def check_alike(prepared: Prepared) -> None:
    """Raises RankError where ranks have other data, settings or versions."""
    if not prepared.ranks.is_alone:
        check_equal(prepared.ranks, _seen_of(prepared))


def check_shared(folder: Path, ranks: Ranks) -> None:
    """Raises RankError where a rank does not see the run folder that rank 0 made."""
    if ranks.is_alone:
        return
    path = folder / names.MANIFEST
    expected = ranks.by_first(path.read_bytes)
    blind = [rank for rank, sees in enumerate(ranks.gathered(_sees(path, expected))) if not sees]
    if blind:
        raise RankError(
            f"rank {blind[0]} of {ranks.num_ranks} does not see the run folder {folder} that rank 0 made in {Path.cwd()}: "
            f"all processes need one folder. Name one on a disk that all machines share (--out, out=)."
        )


def _sees(path: Path, expected: bytes) -> bool:
    until = monotonic() + SECONDS_TO_SEE
    while not (path.is_file() and path.read_bytes() == expected):
        if monotonic() > until:
            return False
        sleep(0.1)
    return True


def _seen_of(prepared: Prepared) -> dict[str, Any]:
    task, loader = prepared.task, prepared.loader
    settings = task.settings.model_dump(mode="json", exclude=set(WHERE))
    return {
        **{f"the version of {name}": version_of(name) for name in LIBRARIES},
        "the training part": loader.state_dict()["data"]["is"],
        "the fingerprint of the data": task.schema.data,
        **settings,
        "the inputs": ", ".join(task.schema.features.columns),
        "the lengths": loader.state_dict()["data"]["lengths"],
    }
