"""One process at a time trains in a run folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from drystone.core.errors import RunError
from drystone.train.checkpoint.files import written
from drystone.train.folder import names


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the folder; the system lets go of it if the process dies.

    Raises:
        RunError: another process holds it, or the lock could not be written.
    """
    lock = FileLock(folder / names.LOCK)
    with written(folder / names.LOCK):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunError(_in_words(folder)) from None
    try:
        yield
    finally:
        lock.release()


def refuse_locked(folder: Path) -> None:
    """Raises RunError where a process trains in the folder now."""
    if is_locked(folder):
        raise RunError(_in_words(folder))


def is_locked(folder: Path) -> bool:
    """Returns whether a process trains in the folder now."""
    path = folder / names.LOCK
    if not path.is_file():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # a folder that may not be written: nobody trains in it
        return False


def _in_words(folder: Path) -> str:
    return f"another process is training in {folder}. Wait until it is over, or stop it."
