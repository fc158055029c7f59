"""metrics.jsonl: one line of figures an epoch, an evaluation, a test."""

import json
import os
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from drystone.core.errors import RunError
from drystone.train.checkpoint.files import sync, written
from drystone.train.loop.events import EpochEnded, Evaluated, Event


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
        if isinstance(event, EpochEnded):
            self.add("train", event.epoch + 1, event.update, event.figures)
        elif isinstance(event, Evaluated):
            self.add("valid", event.epoch, event.update, event.figures)

    def add(self, part: str, epoch: int, update: int, figures: Mapping[str, float]) -> None:
        """Adds one line, whole or not at all."""
        speed = {"steps_per_second": round(figures["steps"] / figures["seconds"], 1)} if figures["seconds"] else {}
        record = {"part": part, "epoch": epoch, "update": update, **figures, "seconds": round(figures["seconds"], 4)}
        with written(self.path):
            self.path.touch()
            before = self.path.stat().st_size
            try:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(record | speed) + "\n")
            except OSError:
                os.truncate(self.path, before)
                raise

    def clear(self) -> None:
        """Removes all lines: a training begins."""
        with written(self.path):
            self.path.write_bytes(b"")

    def state_dict(self) -> dict[str, Any]:
        """Waits until all lines are on the disk, and returns what they are known by, for a checkpoint."""
        with written(self.path):
            self.path.touch()
            sync(self.path)
        lines = self.path.read_bytes()
        return {"bytes": len(lines), "checksum": _checksum(lines)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Cuts the lines back to those of a checkpoint.

        Raises:
            RunError: they are not there any more as they were then.
        """
        size = state["bytes"]
        lines = self.path.read_bytes() if self.path.is_file() else b""
        if len(lines) < size:
            raise RunError(f"{self.path} has {len(lines)} bytes; when the checkpoint was saved it had {size}.")
        if _checksum(lines[:size]) != state["checksum"]:
            raise RunError(f"{self.path} was changed or damaged since the checkpoint was saved.")
        with written(self.path):
            self.path.touch()
            os.truncate(self.path, size)


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Returns the records; a last line that a killed process left half-written does not count.

    Raises:
        RunError: a line is not JSON.
    """
    *lines, _half = path.read_text(encoding="utf-8").split("\n")
    try:
        return [json.loads(line) for line in lines]
    except ValueError as error:
        raise RunError(f"{path} holds a line that is not JSON: {error}") from error


def _checksum(lines: bytes) -> str:
    return blake2b(lines, digest_size=16).hexdigest()
