"""Run folders: their names, and what lies in them."""

import shutil
from pathlib import Path

from drystone.core.errors import RunError

SETTINGS = "config.toml"
SCHEMA = "schema.json"
WEIGHTS = "weights.safetensors"
METRICS = "metrics.jsonl"
SPLIT = "split.parquet"
PLAN = "plan.parquet"
CURVES = "curves.png"

RUNS = Path("runs")


def check_free(path: Path | None, *, overwrite: bool) -> None:
    """Raises RunError where the folder is in the way and may not be replaced."""
    if path is None or not path.exists():
        return
    if not overwrite:
        raise RunError(f"{path} exists. Choose another name, or overwrite it (--overwrite, overwrite=True).")
    if not path.is_dir() or (any(path.iterdir()) and not (path / SETTINGS).is_file()):
        raise RunError(f"{path} exists and is not a run folder, so it is not overwritten. Choose another name.")


def make_folder(path: Path | None, name: str) -> Path:
    """Makes the folder of a new run: the given one, or runs/NAME-1, runs/NAME-2, ...; an old one is replaced."""
    if path is not None:
        if path.exists():
            shutil.rmtree(path)
        path.mkdir(parents=True)
        return path
    number = 1
    while True:
        try:
            (RUNS / f"{name}-{number}").mkdir(parents=True)
            return RUNS / f"{name}-{number}"
        except FileExistsError:
            number += 1
