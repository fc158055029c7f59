"""A training that takes no time, and what two of them are compared by."""

import json
from pathlib import Path
from typing import Any

import numpy as np

import drystone as ds
from drystone.core.sequences import Sequences
from drystone.train import Run

TARGET = "speaker"
SMALL: dict[str, Any] = {"hidden_size": 4, "batch_size": 8, "valid_fraction": 0.2, "progress": False}
TIMES = ("seconds", "steps_per_second")


def vowels() -> Sequences:
    """Some sequences of three speakers of the built-in data."""
    whole = ds.read("japanese-vowels")
    return whole.select(np.flatnonzero(np.isin(whole.field("speaker").values, ["1", "2", "3"]))[::4])


def weights_of(path: Path) -> bytes:
    return (path / "weights.safetensors").read_bytes()


def figures_of(path: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl, but for what a clock says."""
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in TIMES} for line in lines]


def check_equal(path: Path, whole: Path) -> None:
    """The run ended, is whole, and is equal to the bit to one that was never stopped; no rubbish is left."""
    assert Run.open(path).is_finished
    assert weights_of(path) == weights_of(whole)
    assert figures_of(path) == figures_of(whole)
    assert partials_in(path) == []
    assert {child.name for child in path.iterdir()} == {child.name for child in whole.iterdir()}


def partials_in(folder: Path) -> list[Path]:
    """What was left half-written or half-removed in a folder."""
    return sorted(folder.rglob(".*.partial"))


def contents(folder: Path) -> dict[str, bytes]:
    """All files, but for the lock."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != ".lock")
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}
