"""What the benchmarks share: lengths, timing in turn, the record of machine and versions, tables and files."""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone import native
from drystone.train.folder.machine import processor, version_of

Ints = npt.NDArray[np.int64]
RESULTS = Path(__file__).parent / "results"


def arguments_of(doc: str | None, name: str) -> argparse.ArgumentParser:
    """Returns a parser with what every benchmark takes: a seed, and the file that the figures go to."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    default = RESULTS / f"{name}.json"
    parser.add_argument("--json", type=Path, default=default, metavar="FILE", help="default: benchmarks/results")
    return parser


def lognormal_lengths(count: int, seed: int, mean_log: float = 4.0, max_steps: int = 512) -> Ints:
    """Returns lengths drawn from lognormal(mean_log, 0.8), whole numbers in 1 … max_steps."""
    drawn = np.random.default_rng(seed).lognormal(mean_log, 0.8, count)
    return np.clip(drawn, 1, max_steps, out=drawn).astype(np.int64)


def quantiles(lengths: Ints, num_buckets: int) -> tuple[int, ...]:
    """Returns rising boundaries between buckets that hold about as many sequences each."""
    inner = np.quantile(lengths, np.arange(1, num_buckets) / num_buckets).astype(int)
    return tuple(np.unique(inner).tolist())


def seconds_of(run: Callable[[], object]) -> float:
    """Returns the seconds of one run."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def times_in_turn(
    runs: Mapping[str, Callable[[], float]], repeats: int, *, warm_ups: int = 1
) -> dict[str, list[float]]:
    """Returns the seconds of each, run in turn after the warm-ups; a run returns its own seconds."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(repeats + warm_ups):
        for name, run in runs.items():
            seconds = run()
            if repeat >= warm_ups:
                found[name].append(seconds)
    return found


def timed(runs: Mapping[str, Callable[[], float]], repeats: int, *, warm_ups: int = 1) -> dict[str, float]:
    """Returns the median of each, run in turn."""
    return {name: median(times) for name, times in times_in_turn(runs, repeats, warm_ups=warm_ups).items()}


def fresh_process(initializer: Callable[..., None] | None = None, *initial: object) -> ProcessPoolExecutor:
    """Returns one process of its own, in which no other benchmark has left threads, memory or settings."""
    return ProcessPoolExecutor(1, get_context("spawn"), initializer, initial)


def where(packages: Iterable[str]) -> dict[str, Any]:
    """Returns the date, the machine and the versions that figures belong to."""
    return {
        "date": date.today().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {processor()}, {os.cpu_count()} cores",
        "native_core": native.describe(),
        "versions": {
            "python": platform.python_version(),
            **{name: version_of(name) or "not installed" for name in packages},
        },
    }


def markdown(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table; the first column is aligned left, all others right."""
    body = [list(headers), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*body, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def joined(line: Sequence[str]) -> str:
        first, *others = (cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        return " | ".join([first.strip().ljust(widths[0]), *others])

    return "\n".join(f"| {joined(line)} |" for line in [body[0], rule, *body[1:]])


def write(path: Path, record: Mapping[str, Any]) -> None:
    """Writes a record as JSON and says where."""
    path.write_text(json.dumps(record, indent=2, default=str) + "\n")
    print(f"\nwritten to {path}")
