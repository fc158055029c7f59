"""metrics.jsonl: one line of figures an epoch, an evaluation, a test; null for one that is not a finite number."""

import json
import os
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from math import isfinite, nan
from pathlib import Path
from typing import Any

from drystone.core.errors import RunError
from drystone.train.checkpoint.files import sync, written
from drystone.train.loop.events import EpochEnded, Evaluated, Event


def record_of(event: Event) -> dict[str, Any] | None:
    """Returns the figures of an event, and which part, epoch (counted from 1) and update they are of; None where it has none."""
    if isinstance(event, EpochEnded):
        return {"part": "train", "epoch": event.epoch + 1, "update": event.update, "figures": event.figures}
    if isinstance(event, Evaluated):
        return {"part": "valid", "epoch": event.epoch, "update": event.update, "figures": event.figures}
    return None


class MetricsLog:
    """Adds lines to a file of JSON lines; epochs are counted from 1 in it.

    Args:
        path: made where it is not there.

    Raises:
        RunError: a line could not be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, event: Event) -> None:
        found = record_of(event)
        if found is not None:
            self.add(**found)

    def add(
        self,
        part: str,
        epoch: int,
        update: int,
        figures: Mapping[str, float],
        baselines: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        """Adds one line, whole or not at all; with the figures of trivial predictions, by their names, where there are any."""
        speed = {"steps_per_second": round(figures["steps"] / figures["seconds"], 1)} if figures["seconds"] else {}
        record = {"part": part, "epoch": epoch, "update": update, **figures, "seconds": round(figures["seconds"], 4)}
        beside = {} if baselines is None else {"baselines": {name: _finite(each) for name, each in baselines.items()}}
        self._add_record(_finite(record | speed) | beside)

    def add_waiting(self, epoch: int, update: int, waited: Sequence[float], seconds: float) -> None:
        """Adds one line on how long each rank waited for the others, of so many seconds of training."""
        record = {"part": "ranks", "epoch": epoch, "update": update, "seconds": round(seconds, 4)}
        self._add_record(record | {"waited": [round(each, 4) for each in waited]})

    def _add_record(self, record: Mapping[str, Any]) -> None:
        with written(self.path):
            self.path.touch()
            before = self.path.stat().st_size
            try:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(record) + "\n")
            except OSError:
                os.truncate(self.path, before)
                raise

    def clear(self) -> None:
        """Removes all lines: a training begins."""
        with written(self.path):
            self.path.write_bytes(b"")

    def sync(self) -> int:
        """Waits until all lines are on the disk; returns their bytes."""
        with written(self.path):
            self.path.touch()
            sync(self.path)
        return self.path.stat().st_size

    def cut_back(self, num_bytes: int) -> None:
        """Removes what was added after a checkpoint.

        Raises:
            RunError: the file is shorter than it was then.
        """
        size = self.path.stat().st_size if self.path.is_file() else 0
        if size < num_bytes:
            raise RunError(f"{self.path} has {size} bytes; when the checkpoint was saved it had {num_bytes}.")
        with written(self.path):
            self.path.touch()
            os.truncate(self.path, num_bytes)

    def state_dict(self) -> dict[str, Any]:
        """Returns what the lines are known by, which are on the disk by then; for a checkpoint."""
        size = self.sync()
        return {"bytes": size, "checksum": self._checksum(size)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Cuts the lines back to those of a checkpoint.

        Raises:
            RunError: they are not there any more as they were then.
        """
        size = state["bytes"]
        is_long_enough = self.path.is_file() and self.path.stat().st_size >= size
        if is_long_enough and self._checksum(size) != state["checksum"]:
            raise RunError(f"{self.path} was changed or damaged since the checkpoint was saved.")
        self.cut_back(size)

    def _checksum(self, num_bytes: int) -> str:
        return blake2b(self.path.read_bytes()[:num_bytes], digest_size=16).hexdigest()


def _finite(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and not isfinite(value) else value for name, value in record.items()}


def _with_nan(record: dict[str, Any]) -> dict[str, Any]:
    return {name: nan if value is None else value for name, value in record.items()}


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Returns the records, NaN where they have null; a last line that a killed process left half-written does not count.

    Raises:
        RunError: a line is not JSON.
    """
    *lines, _half = path.read_text(encoding="utf-8").split("\n")
    try:
        return [json.loads(line, object_hook=_with_nan) for line in lines]
    except ValueError as error:
        raise RunError(f"{path} holds a line that is not JSON: {error}") from error
