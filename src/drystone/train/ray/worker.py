"""What every worker of Ray does: it begins the run, or goes on with it where workers were lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from drystone.core.errors import DrystoneError, LostRankError, RankError
from drystone.train.data import Sources
from drystone.train.folder import names
from drystone.train.folder.create import restore
from drystone.train.folder.lock import is_locked
from drystone.train.one_call import fit, resume
from drystone.train.ranks.launch import current_ranks
from drystone.train.ray.reports import Reports
from drystone.train.ray.sources import here
from drystone.train.ray.told import Told

SECONDS_TO_LET_GO = 180.0  # that a file system over a network may need to see that a machine is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A run, and what it is made from.

    Args:
        folder: of the run, on a disk that all workers see.
        sources: paths, or references to objects in Ray's store.
        settings: with the target, for a new run; None for one that goes on.
        overwrite: whether an older run in the folder may be replaced.
        older: the identity of a run that was in the folder before.
    """

    folder: Path
    sources: Sources
    settings: Mapping[str, Any] | None = None
    overwrite: bool = False
    older: bytes | None = None


def work(given: dict[str, Any]) -> None:
    """Trains as one rank; Ray calls it on every worker, and again on new ones after some were lost.

    Args:
        given: `work`, and as `told` where errors go that end the training for good.
    """
    told: Told = given["told"]
    if told.heard() is not None:
        return
    try:
        _train(given["work"], told)
    except LostRankError:
        raise  # Ray starts all of them anew
    except DrystoneError as error:
        if not (isinstance(error, RankError) and error.is_told_elsewhere):
            told.tell(error)


def identity(folder: Path) -> bytes | None:
    """Returns what tells a run from one that takes its place: when and how it was started; None where there is none."""
    try:
        return (folder / names.ENVIRONMENT).read_bytes()
    except OSError:
        return None


def _train(of: Work, told: Told) -> None:
    sources, ranks = here(of.sources), current_ranks()
    if ranks.by_first(lambda: _goes_on(of, told)):
        resume(of.folder, sources.train, valid=sources.valid, test=sources.test, watch=Reports(ranks))
    else:
        fit(
            sources.train,
            valid=sources.valid,
            test=sources.test,
            out=of.folder,
            overwrite=of.overwrite,
            watch=Reports(ranks),
            **(of.settings or {}),
        )


def _goes_on(of: Work, told: Told) -> bool:
    """Returns whether there is a run to go on with: one that was to be gone on with, or that workers who were lost have begun."""
    if told.begins_first():
        return of.settings is None
    restore(of.folder)
    if of.settings is not None and identity(of.folder) in (None, of.older):
        return False
    _wait_for_the_lost(of.folder)
    return True


def _wait_for_the_lost(folder: Path) -> None:
    """Waits until the system lets go of the folder that a lost worker held."""
    until = monotonic() + SECONDS_TO_LET_GO
    while is_locked(folder) and monotonic() < until:
        sleep(1.0)
