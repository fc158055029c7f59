"""Run folders: their names, what lies in them, and how they come and go."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drystone.core.errors import RunError

SETTINGS = "config.toml"
SCHEMA = "schema.json"
WEIGHTS = "weights.safetensors"
METRICS = "metrics.jsonl"
SPLIT = "split.parquet"
PLAN = "plan.zip"
CURVES = "curves.png"
FILES = frozenset({SETTINGS, SCHEMA, WEIGHTS, METRICS, SPLIT, PLAN, CURVES})

RUNS = Path("runs")


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
    others = sorted(child.name for child in path.iterdir() if child.name not in FILES)
    if others:
        raise RunError(f"{path} holds {others[0]}, which is not part of a run, so it is not overwritten.")
    if not (path / SCHEMA).is_file():
        raise RunError(f"{path} is not a run folder, so it is not overwritten. Choose another name.")


@contextmanager
def new_folder(path: Path | None, name: str) -> Iterator[Path]:
    """Makes the folder of a new run: the given one, or runs/NAME-1, runs/NAME-2, ...

    An old run in its place is moved aside, and deleted once the new one is over. If the new run stops before it
    has weights, its folder goes and the old one comes back.
    """
    if path is None:
        path = _next_free(name)
    aside = path.with_name(f".{path.name}.replaced")
    if path.exists():
        shutil.rmtree(aside, ignore_errors=True)
        path.rename(aside)
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield path
    finally:
        if not (path / WEIGHTS).is_file():
            shutil.rmtree(path)
            if aside.exists():
                aside.rename(path)
        shutil.rmtree(aside, ignore_errors=True)


def _next_free(name: str) -> Path:
    number = 1
    while (RUNS / f"{name}-{number}").exists():
        number += 1
    return RUNS / f"{name}-{number}"
