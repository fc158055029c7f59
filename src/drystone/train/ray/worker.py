"""What every worker of Ray does: it begins the run, or goes on with it where workers were lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drystone.core.errors import DrystoneError, LostRankError, RankError
from drystone.train.data import Sources
from drystone.train.folder import names
from drystone.train.folder.create import restore
from drystone.train.one_call import fit, resume
from drystone.train.ranks.launch import current_ranks
from drystone.train.ray.errors import Told
from drystone.train.ray.reports import Reports
from drystone.train.ray.sources import here

Identity = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A run, and what it is made from.

    Args:
        folder: of the run, on a disk that all workers see.
        sources: paths, or references to objects in Ray's store.
        settings: with the target, for a new run; None for one that goes on.
        overwrite: whether an older run in the folder may be replaced.
        older: tells the older run, if there is one, from the new one.
    """

    folder: Path
    sources: Sources
    settings: Mapping[str, Any] | None = None
    overwrite: bool = False
    older: Identity | None = None


def work(given: dict[str, Any]) -> None:
    """Trains as one rank; Ray calls it on every worker, and again on new ones after some were lost.

    Args:
        given: `work`, and as `told` where errors go that end the training for good.
    """
    told: Told = given["told"]
    if told.heard() is not None:
        return
    try:
        _train(given["work"])
    except LostRankError:
        raise  # Ray starts all of them anew
    except DrystoneError as error:
        if not (isinstance(error, RankError) and error.is_told_elsewhere):
            told.tell(error)


def identity(folder: Path) -> Identity | None:
    """Returns what tells a run from one that takes its place; None where there is none."""
    try:
        known = (folder / names.SETTINGS).stat()
    except OSError:
        return None
    return known.st_ino, known.st_mtime_ns


def _train(of: Work) -> None:
    sources, ranks = here(of.sources), current_ranks()
    if of.settings is None or ranks.by_first(lambda: _is_begun(of)):
        resume(of.folder, sources.train, valid=sources.valid, test=sources.test, watch=Reports(ranks))
    else:
        fit(
            sources.train,
            valid=sources.valid,
            test=sources.test,
            out=of.folder,
            overwrite=of.overwrite,
            watch=Reports(ranks),
            **of.settings,
        )


def _is_begun(of: Work) -> bool:
    """Whether workers that were lost began the run already."""
    restore(of.folder)
    return identity(of.folder) not in (None, of.older)
