"""Time and memory of planning, beside `numpy.argsort` of the same lengths and beside the planners of others.

    python benchmarks/plan.py
    python benchmarks/plan.py --count 1e8

Lengths are lognormal(4, 0.8), cut at 512 steps. Each layout is planned in a process of its own, in turn with
argsort (its default kind), so that both see the same noise. "Beyond the tables" is the peak of resident memory while
planning, less what was there before (the caller's lengths) and less the plan's three tables; the plan's own copy of
the lengths (8 bytes a sequence) counts as beyond. It is measured in a run that is not timed, and is coarse below 10⁷
sequences. A process may take what memory is free, and no more.

Peers plan fewer sequences, in turn with `Bucketed` of the same lengths and budget. Lhotse's cuts are made before the
clock starts. fairseq is timed three times: `batch_by_size` alone, which cuts sequences that were sorted before, with
their lengths from an array and from a function; and a whole epoch of it (random order, sort, batch_by_size with an
array, batches shuffled), which is what a plan of drystone is.
"""

import resource
from collections import deque
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
import peers
from common import Ints, arguments_of, fresh_process, lognormal_lengths, markdown, seconds_of, timed, where, write

from drystone import Bucketed, Layout, Packed, Padded, Plan, Stateful

CELLS = 4_800  # 64 sequences of mean length 75
LAYOUTS: dict[str, Layout] = {
    "Padded(64)": Padded(64),
    f"Bucketed(num_buckets=30, cells={CELLS})": Bucketed(num_buckets=30, cells=CELLS),
    "Bucketed(10 boundaries, batch_size=64)": Bucketed(
        boundaries=(20, 28, 36, 45, 55, 67, 83, 107, 152, 256), batch_size=64
    ),
    "Packed(32, 512)": Packed(32, 512),
    "Packed(sequences=64)": Packed(sequences=64),
    "Stateful(32, 50)": Stateful(32, 50),
}
MOST_TIME = {Padded: 1.5, Bucketed: 1.5, Packed: 4.0}  # what is aimed at, × argsort
MOST_BYTES = 40
PEER_COUNTS = {"lhotse": 100_000, "transformers": 1_000_000, "fairseq": 10_000_000}
Found = dict[str, Any]


def layout_found(name: str, count: int, seed: int, repeats: int) -> Found:
    """Plans in this process: memory in the first run, time in all."""
    lengths, layout = lognormal_lengths(count, seed), LAYOUTS[name]
    layout.plan(lengths[:1000])
    _limit_memory()
    planned: list[float] = []
    memory = memory_of(lambda: layout.plan(lengths, seed))
    sorts: list[float] = [seconds_of(lambda: np.argsort(lengths))]
    for epoch in range(repeats):
        planned.append(seconds_of(partial(layout.plan, lengths, seed, epoch)))
        sorts.append(seconds_of(lambda: np.argsort(lengths)))
    beside = [seconds / mean(sorts[turn : turn + 2]) for turn, seconds in enumerate(planned)]
    return {
        "count": count,
        "plan_seconds": median(planned),
        "argsort_seconds": median(sorts),
        "plan_over_argsort": median(beside),
        "plan_over_argsort_each": beside,
        **memory,
    }


def memory_of(run: Callable[[], Plan]) -> dict[str, int | None]:
    """Returns the bytes of the plan's tables, and by how many resident memory rose above them at its peak."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    except OSError:
        return {"table_bytes": _table_bytes(run()), "peak_bytes_beyond_tables": None}
    before = _memory("VmRSS")
    plan = run()
    peak, table_bytes = _memory("VmHWM") - before, _table_bytes(plan)
    _lengths, held = plan.lengths, _memory("VmRSS")
    del plan
    resident = min(table_bytes, held - _memory("VmRSS"))  # a column of zeros may never have taken the memory it spans
    return {"table_bytes": table_bytes, "peak_bytes_beyond_tables": peak - resident}


def _table_bytes(plan: Plan) -> int:
    return plan.table.nbytes + plan.batches.nbytes + plan.dropped.nbytes


def peer_found(name: str, count: int, seed: int, repeats: int) -> Found:
    """Times a peer in this process, in turn with Bucketed."""
    lengths = lognormal_lengths(count, seed)
    runs: dict[str, Callable[[], object]] = {
        "drystone Bucketed": _bucketed(lengths, seed),
        **_PEERS[name](lengths, seed),
    }
    medians = timed({key: partial(seconds_of, run) for key, run in runs.items()}, repeats)
    ours = medians["drystone Bucketed"]
    return {
        key: {"count": count, "seconds": seconds, "over_drystone": seconds / ours} for key, seconds in medians.items()
    }


def _bucketed(lengths: Ints, seed: int) -> Callable[[], Plan]:
    layout = Bucketed(num_buckets=30, cells=CELLS)
    return lambda: layout.plan(lengths, seed)


def _lhotse(lengths: Ints, seed: int) -> dict[str, Callable[[], object]]:
    cuts = peers.lhotse_cuts(lengths)
    return {"Lhotse DynamicBucketingSampler": lambda: deque(peers.lhotse_batches(cuts, CELLS, 30, seed), maxlen=0)}


def _transformers(lengths: Ints, seed: int) -> dict[str, Callable[[], object]]:
    numbers = lengths.tolist()
    return {"Hugging Face LengthGroupedSampler": lambda: peers.transformers_order(numbers, 64, seed)}


def _fairseq(lengths: Ints, seed: int) -> dict[str, Callable[[], object]]:
    kernel, order = peers.fairseq_kernel(), np.argsort(lengths, kind="stable")
    ordered = lengths[order]
    return {
        "fairseq batch_by_size alone, array of lengths": lambda: kernel.batch_by_size_vec(order, ordered, CELLS, -1, 1),
        "fairseq batch_by_size alone, function of lengths": lambda: kernel.batch_by_size_fn(
            order, lambda number: lengths[number], CELLS, -1, 1
        ),
        "fairseq, a whole epoch": lambda: peers.fairseq_batches(lengths, CELLS, seed),
    }


_PEERS = {"lhotse": _lhotse, "transformers": _transformers, "fairseq": _fairseq}


def _memory(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(key))


def _limit_memory() -> None:
    """Turns a want of more memory than is free into a MemoryError, before the machine ends processes of others."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except OSError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_memory("VmSize") + int(0.95 * free), most))


def in_fresh_process(run: Callable[..., Found], *given: object) -> Found:
    """Returns what the run found, or why it found nothing."""
    with fresh_process() as process:
        try:
            return process.submit(run, *given).result()
        except (MemoryError, BrokenProcessPool):
            return {"error": "out of memory"}
        except ImportError:
            return {"error": "not installed"}


def layout_line(name: str, found: Found) -> list[str]:
    if "error" in found:
        return [name, found["error"], *[""] * 6]
    most = MOST_TIME.get(type(LAYOUTS[name]))
    beyond = found["peak_bytes_beyond_tables"]
    return [
        name,
        f"{found['plan_seconds']:.2f} s",
        f"{1e9 * found['plan_seconds'] / found['count']:.0f}",
        f"{found['argsort_seconds']:.2f} s",
        f"{found['plan_over_argsort']:.2f}",
        "" if most is None else f"≤ {most}",
        f"{found['table_bytes'] / found['count']:.0f}",
        "not measured" if beyond is None else f"{beyond / found['count']:.0f}",
    ]


def peer_line(name: str, found: Found) -> list[str]:
    each = 1e9 * found["seconds"] / found["count"]
    return [name, f"{found['count']:,}", f"{found['seconds']:.3f} s", f"{each:,.0f}", f"{found['over_drystone']:.1f}"]


def main() -> None:
    parser = arguments_of(__doc__, "plan")
    parser.add_argument("--count", type=float, default=1e7, help="sequences, such as 1e8 (default: 1e7)")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    count, seed, repeats = int(arguments.count), arguments.seed, arguments.repeats

    layouts: dict[str, Found] = {}
    for name in LAYOUTS:
        layouts[name] = in_fresh_process(layout_found, name, count, seed, repeats)
        print(*layout_line(name, layouts[name]), sep="  ", flush=True)
    others: dict[str, Found] = {}
    for name, peer_count in PEER_COUNTS.items():
        others[name] = in_fresh_process(peer_found, name, min(count, peer_count), seed, repeats)
        print(name, others[name].get("error", "done"), flush=True)

    headers = [
        "layout",
        "time",
        "ns a sequence",
        "argsort",
        "× argsort",
        "aim",
        "table bytes",
        f"beyond (≤ {MOST_BYTES})",
    ]
    print(f"\n{count:,} sequences; bytes are a sequence\n")
    print(markdown(headers, [layout_line(name, found) for name, found in layouts.items()]))
    print("\nPeers, each in turn with Bucketed on the same lengths\n")
    lines = [
        line
        for name, found in others.items()
        for line in (
            [[name, found["error"], "", "", ""]]
            if "error" in found
            else [peer_line(key, value) for key, value in found.items()]
        )
    ]
    print(markdown(["planner", "sequences", "time", "ns a sequence", "× drystone"], lines))
    settings = {"fairseq": peers.fairseq_version(), "count": count, "seed": seed, "repeats": repeats, "cells": CELLS}
    packages = ("drystone", "numpy", "pyarrow", *peers.PACKAGES)
    write(arguments.json, {**where(packages), **settings, "layouts": layouts, "peers": others})


if __name__ == "__main__":
    main()
