"""A small file, and signals at a known moment."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drystone.train.loop.events import EpochEnded
from drystone.train.watch.metrics_log import MetricsLog


def write_tiny(folder: Path) -> None:
    """Writes tiny.parquet: two classes that are easy to tell apart."""
    steps = [[float(10 * k + i % 3 + step) for step in range(2 + i % 4)] for k in (0, 1) for i in range(12)]
    pq.write_table(pa.table({"x": steps, "y": ["a"] * 12 + ["b"] * 12}), folder / "tiny.parquet")


@contextmanager
def signal_after_first_epoch(number: signal.Signals) -> Iterator[None]:
    """Sends this process a signal when the first epoch of a training ends, as a user or a cluster would."""
    real = MetricsLog.__call__

    def log(self: MetricsLog, event: Any) -> None:
        real(self, event)
        if isinstance(event, EpochEnded) and event.epoch == 0:
            signal.raise_signal(number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MetricsLog, "__call__", log)
        yield
