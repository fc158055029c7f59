"""How run folders come, take the place of older ones, and go if nothing came of them."""

import shutil
from contextlib import AbstractContextManager
from pathlib import Path

from drystone.core.errors import RunError
from drystone.train.checkpoint.files import whole_folder
from drystone.train.folder import names


def check_free(path: Path | None, *, overwrite: bool) -> None:
    """Raises RunError where something is in the way that may not be replaced.

    A folder may be replaced if that is asked for and all that it holds is a run.
    """
    if path is None or not (path.exists() or path.is_symlink()):
        return
    if path.is_dir() and not any(path.iterdir()):
        return
    if not overwrite:
        raise RunError(f"{path} exists. Choose another name, or overwrite it (--overwrite, overwrite=True).")
    if path.is_symlink() or not path.is_dir():
        raise RunError(f"{path} is not a folder, so it is not overwritten. Choose another name.")
    others = sorted(child.name for child in path.iterdir() if child.name not in names.ALL)
    if others:
        raise RunError(f"{path} holds {others[0]}, which is not part of a run, so it is not overwritten.")
    if not (path / names.MANIFEST).is_file():
        raise RunError(f"{path} is not a run folder, so it is not overwritten. Choose another name.")


def new_folder(path: Path) -> AbstractContextManager[Path]:
    """Gives a folder for the first files of a run; with all of them it takes its real name.

    An older run in its place is put aside, until `settle` says what becomes of it.
    """
    return whole_folder(path, _put_aside)


def settle(path: Path) -> None:
    """Keeps a run that has weights or a checkpoint, or else brings back the older one in its place."""
    aside = _aside(path)
    has_weights = (path / names.WEIGHTS).is_file() or any((path / names.CHECKPOINTS).glob("update-*"))
    if not has_weights:
        shutil.rmtree(path)
        if aside.exists():
            aside.rename(path)
    shutil.rmtree(aside, ignore_errors=True)


def next_free(name: str) -> Path:
    """Returns runs/NAME-1, runs/NAME-2, ...: the first that is not there."""
    number = 1
    while (names.RUNS / f"{name}-{number}").exists():
        number += 1
    return names.RUNS / f"{name}-{number}"


def _put_aside(path: Path) -> None:
    if path.exists():
        shutil.rmtree(_aside(path), ignore_errors=True)
        path.rename(_aside(path))


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.replaced")
