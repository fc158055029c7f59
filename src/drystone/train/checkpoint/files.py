"""Files that are whole or not there, on the disk and not only in its cache; and their checksums."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from drystone.core.errors import RunError

PARTIAL = ".partial"
CHUNK = 1 << 22


def checksum_of(path: Path) -> str:
    """Returns the BLAKE2b hash of a file, in hexadecimal."""
    digest = blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Says in one sentence what could not be written, where the system refuses.

    Raises:
        RunError: the disk is full, or the like.
    """
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise RunError(f"{path} could not be written ({reason}); what was saved before is still whole.") from error


@contextmanager
def whole_folder(path: Path, aside: Path) -> Iterator[Path]:
    """Gives a folder to write to; it takes its real name when all of its files are on the disk.

    If writing fails, nothing of it stays.

    Args:
        path: of the folder.
        aside: where an older one in its place is moved to, whole.

    Raises:
        RunError: it could not be written.
    """
    partial = partial_name(path, str(os.getpid()))
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with written(path):
            partial.mkdir(parents=True)
            yield partial
            for file in partial.iterdir():
                sync(file)
            sync(partial)
            _take_place(partial, path, aside)
            sync(path.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _take_place(partial: Path, path: Path, aside: Path) -> None:
    try:
        if path.exists():
            remove_folder(aside)
            path.rename(aside)
        partial.rename(path)
    except BaseException:
        if aside.exists() and not path.exists():
            aside.rename(path)
        raise


def remove_folder(path: Path) -> None:
    """Removes a folder, if there is one; at no time does it look whole and is not."""
    if not path.exists():
        return
    doomed = partial_name(path, "removed")
    with written(path):
        shutil.rmtree(doomed, ignore_errors=True)
        path.rename(doomed)
        shutil.rmtree(doomed)


def partial_name(path: Path, why: str) -> Path:
    """Returns a name beside a folder's that nobody takes for something whole."""
    return path.with_name(f".{path.name}.{why}{PARTIAL}")


def is_partial(path: Path) -> bool:
    """Returns whether something was left half-written, or half-removed, by its name."""
    return path.name.startswith(".") and path.name.endswith(PARTIAL)


def clean(folder: Path) -> None:
    """Removes what a process that was killed left in a folder half-written or half-removed."""
    for path in filter(is_partial, folder.iterdir() if folder.is_dir() else ()):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def sync(path: Path) -> None:
    """Waits until a file or folder is on the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
