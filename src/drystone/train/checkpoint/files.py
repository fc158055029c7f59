"""Files that are whole or not there, on the disk and not only in its cache; and their checksums."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

PARTIAL = ".partial"
CHUNK = 1 << 22


def checksum_of(path: Path) -> str:
    """Returns the BLAKE2b hash of a file, in hexadecimal."""
    digest = blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def remove_folder(path: Path) -> None:
    """Removes a folder, if there is one; at no time does it look whole and is not."""
    if path.exists():
        doomed = partial_of(path.with_name(f"{path.name}.old"))
        shutil.rmtree(doomed, ignore_errors=True)
        path.rename(doomed)
        shutil.rmtree(doomed)


@contextmanager
def whole_folder(path: Path, make_room: Callable[[Path], None] = remove_folder) -> Iterator[Path]:
    """Gives a folder to write to; it takes its real name when all of its files are on the disk.

    What an earlier process left half-written under the same name is removed first; if writing fails, so is this.

    Args:
        path: of the folder.
        make_room: what becomes of an older one, once the new one is written.
    """
    partial = partial_of(path)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        for file in partial.iterdir():
            sync(file)
        sync(partial)
        make_room(path)
        partial.rename(path)
        sync(path.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def partial_of(path: Path) -> Path:
    """Returns the name that a folder has while it is written or removed."""
    return path.with_name(f".{path.name}{PARTIAL}")


def sync(path: Path) -> None:
    """Waits until a file or folder is on the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
