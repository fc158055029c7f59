"""Where stores lie, and that each is made once, by one process, and appears only when it is whole."""

import os
from collections.abc import Callable
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.readers.shards.store import Key, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "DRYSTONE_CACHE"
BESIDE = ".drystone"  # a folder beside the data
PARTIAL = ".partial"


def opened_or_made(beside: Path | None, name: Key, made_of: Key, make: Callable[[Path], None]) -> Sequences:
    """Returns the sequences of a store; where there is none, or one that is damaged or of other data, it is made.

    Args:
        beside: the folder of the data, if there is one.
        name: of the store, which stays when the data change.
        made_of: what tells the data from others, these before a change too.
        make: writes a store into an empty folder.

    Raises:
        DataError: no folder can be written, or none has room; or what `make` raises.
    """
    stem = blake2b(repr(name).encode(), digest_size=12).hexdigest()
    places = _places(beside)
    for place in places:
        found = open_store(place / stem, made_of)
        if found is not None:
            return found
    place = next((each for each in places if _is_writable(each)), places[-1])
    with _alone(place, stem):
        found = open_store(place / stem, made_of)  # another process may have made it meanwhile
        if found is None:
            _make(place, stem, make)
            found = open_store(place / stem, made_of)
    assert found is not None
    return found


def _places(beside: Path | None) -> list[Path]:
    said = os.environ.get(VARIABLE)
    if said:
        return [Path(said).expanduser().absolute()]
    import platformdirs

    return [*([beside / BESIDE] if beside is not None else []), platformdirs.user_cache_path("drystone")]


def _is_writable(place: Path) -> bool:
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


@contextmanager
def _alone(place: Path, stem: str) -> "Iterator[None]":
    """Holds the place of a store; waits while another process makes it. The system lets go if the process dies."""
    from filelock import FileLock

    lock = FileLock(place / f"{stem}.lock")
    with _writing(place):
        place.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _make(place: Path, stem: str, make: Callable[[Path], None]) -> None:
    partial, home, old = place / f"{stem}{PARTIAL}", place / stem, place / f"{stem}.old"
    try:
        with _writing(place):
            for left in (partial, old):  # by a process that was killed
                if left.exists():
                    rmtree(left)
            partial.mkdir()
            make(partial)
            if home.exists():
                home.rename(old)  # whoever has it open keeps its files
            partial.rename(home)
    finally:
        for left in (partial, old):
            rmtree(left, ignore_errors=True)


@contextmanager
def _writing(place: Path) -> "Iterator[None]":
    try:
        yield
    except OSError as error:
        raise DataError(
            f"what is read of several files is kept in {place}, which cannot be written: {error.strerror or error}. Name "
            f"another folder, with room for all values, in the environment variable {VARIABLE}."
        ) from error
