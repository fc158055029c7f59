"""How run folders come, take the place of older ones, and go if nothing came of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drystone.core.errors import RunError
from drystone.train.checkpoint.files import is_partial, remove_folder, whole_folder, written
from drystone.train.folder import names
from drystone.train.folder.lock import refuse_locked


def check_free(path: Path, *, overwrite: bool) -> None:
    """Raises RunError where something is in the way that may not be replaced.

    A folder may be replaced if that is asked for, all that it holds is a run, and no process trains in it.
    """
    if not (path.exists() or path.is_symlink()):
        return
    if path.is_dir() and not any(path.iterdir()):
        return
    if not overwrite:
        raise RunError(f"{path} exists. Choose another name, or overwrite it (--overwrite, overwrite=True).")
    if path.is_symlink() or not path.is_dir():
        raise RunError(f"{path} is not a folder, so it is not overwritten. Choose another name.")
    others = sorted(child.name for child in path.iterdir() if not _belongs(child))
    if others:
        raise RunError(f"{path} holds {others[0]}, which is not part of a run, so it is not overwritten.")
    if not (path / names.MANIFEST).is_file():
        raise RunError(f"{path} is not a run folder, so it is not overwritten. Choose another name.")
    refuse_locked(path)


@contextmanager
def new_folder(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Gives a folder for the first files of a run; with all of them it takes its real name.

    An older run in its place is put aside, until `settle` says what becomes of it.

    Raises:
        RunError: something is in the way that may not be replaced, or it could not be written.
    """
    with whole_folder(path, _aside(path)) as place:
        yield place
        check_free(path, overwrite=overwrite)  # another process may have come first
        if _aside(path).exists() and not _holds_weights(path):
            remove_folder(path)  # it was killed before it came to anything: the one aside is worth more


def settle(path: Path, *, is_new: bool) -> None:
    """Lets go of the older run put aside once this one holds weights; a new one that holds none makes room for it."""
    if _holds_weights(path):
        remove_folder(_aside(path))
    elif is_new:
        remove_folder(path)
        restore(path)


def restore(path: Path) -> None:
    """Gives an older run its name back, if a process was killed just when it was put aside."""
    if _aside(path).exists() and not path.exists():
        with written(path):
            _aside(path).rename(path)


def next_free(name: str) -> Path:
    """Returns runs/NAME-1, runs/NAME-2, ...: the first that is not there."""
    number = 1
    while (names.RUNS / f"{name}-{number}").exists():
        number += 1
    return names.RUNS / f"{name}-{number}"


def _belongs(path: Path) -> bool:
    return path.name in names.ALL or is_partial(path)


def _holds_weights(path: Path) -> bool:
    return (path / names.WEIGHTS).is_file() or any((path / names.CHECKPOINTS).glob("update-*"))


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.replaced")
