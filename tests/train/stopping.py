"""Runs that are stopped, and what any run leaves."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drystone.train import Progress, Updated

TIMES = ("seconds", "steps_per_second")


@contextmanager
def stopping_after(update: int) -> Iterator[None]:
    """Ctrl-C stops what trains here after an update."""
    real = Progress.__call__

    def watch(self: Progress, event: Any) -> None:
        real(self, event)
        if isinstance(event, Updated) and event.update == update:
            signal.raise_signal(signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Progress, "__call__", watch)
        yield


def left_by(path: Path) -> Any:
    """The figures of a run, without times, and its weights."""
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    figures = [{name: value for name, value in line.items() if name not in TIMES} for line in lines]
    return figures, (path / "weights.safetensors").read_bytes()
