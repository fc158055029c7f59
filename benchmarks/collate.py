"""Speed of filling batches, beside a plain copy of the same bytes and beside the usual input pipelines of others.

    python benchmarks/collate.py

float32 features [_, 64] of lognormal lengths (mean 60, cut at 512 steps), about 64 sequences a batch. Only real steps
count: bytes of padding are work that nobody asked for. (The column "cells" counts them too, as a copy of the finished
arrays would.) A family of contestants has a process of its own, since TensorFlow changes the memory settings of the
whole process; all take turns, a whole epoch each, and medians are printed.

- copy: `np.copyto` from the features, batch by batch, into one warm array (the strictest reading), and `array.copy()`.
- collate: `drystone.collate` of every batch, masks and spans included; the plan is made before.
- Loader: a pass of `drystone.Loader` without reading ahead, the planning of its epoch included.
- torch: `DataLoader` over a list of tensors, num_workers=0, collate_fn = `pad_sequence` and a tensor of lengths; random
  batches, and ready-made batches of similar lengths. No masks. One thread, which is its fastest setting here.
- tf.data: `bucket_by_sequence_length` and prefetch, the buckets of our `Bucketed`; over a Python generator of arrays
  (the usual recipe), over slices of a ragged tensor, and over numbers that slice one tensor in a parallel map. Neither
  shuffling nor masks are asked of it.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from common import (
    Ints,
    arguments_of,
    fresh_process,
    lognormal_lengths,
    markdown,
    quantiles,
    seconds_of,
    timed,
    where,
    write,
)

from drystone import Bucketed, Layout, Loader, Packed, Padded, Plan, Sequences, Stateful, collate

FEATURES = 64
MEAN_LOG = np.log(60) - 0.8**2 / 2  # of a lognormal of mean 60
BATCH_SIZE = 64
NUM_BUCKETS = 10
COPY, COPY_FRESH = "np.copyto into a warm array", "array.copy()"
BESIDE = {  # which pass of the Loader has batches of the same kind
    "torch DataLoader, pad_sequence, random": "Loader, Padded",
    "torch DataLoader, pad_sequence, similar lengths": "Loader, Bucketed",
    "tf.data, generator": "Loader, Bucketed",
    "tf.data, ragged tensor": "Loader, Bucketed",
    "tf.data, slices of one tensor": "Loader, Bucketed",
}
Runs = dict[str, Callable[[], object]]
_runs: Runs = {}


def data_of(count: int, seed: int) -> tuple[Ints, Any]:
    """Returns lengths, and features [all steps, FEATURES] of all sequences end to end."""
    lengths = lognormal_lengths(count, seed, float(MEAN_LOG))
    return lengths, np.random.default_rng(seed).standard_normal((int(lengths.sum()), FEATURES), dtype=np.float32)


def layouts_of(lengths: Ints) -> dict[str, Layout]:
    return {
        "Padded": Padded(BATCH_SIZE),
        "Bucketed": Bucketed(boundaries=quantiles(lengths, NUM_BUCKETS), batch_size=BATCH_SIZE),
        "Packed(8, 512)": Packed(8, 512),
        "Packed(sequences=64)": Packed(sequences=BATCH_SIZE),
        "Stateful(64, 60)": Stateful(BATCH_SIZE, 60),
    }


def drystone_runs(count: int, seed: int) -> Runs:
    """Copies, `collate` and `Loader`, in one process."""
    lengths, features = data_of(count, seed)
    seqs = Sequences.from_ragged(np.append(0, np.cumsum(lengths)), per_step={"x": features})
    runs = copies(features, lengths)
    for name, layout in layouts_of(lengths).items():
        runs[f"collate, {name}"] = partial(collate_all, seqs, layout.plan(lengths, seed))
        runs[f"Loader, {name}"] = partial(exhaust, Loader(seqs, layout, seed, read_ahead=0))
    return runs


def copies(features: Any, lengths: Ints) -> Runs:
    """Copies the features, in pieces of the bytes of one batch."""
    pieces = np.split(features, np.cumsum(lengths)[BATCH_SIZE - 1 : -1 : BATCH_SIZE])
    warm = np.ones((max(map(len, pieces)), FEATURES), dtype=np.float32)

    def into_warm() -> None:
        for piece in pieces:
            np.copyto(warm[: len(piece)], piece)

    def fresh() -> None:
        for piece in pieces:
            piece.copy()

    return {COPY: into_warm, COPY_FRESH: fresh}


def collate_all(seqs: Sequences, plan: Plan) -> None:
    for index in range(plan.num_batches):
        collate(seqs, plan, index)


def exhaust(batches: Iterable[object]) -> None:
    for _ in batches:
        pass


def torch_runs(count: int, seed: int) -> Runs:
    """The usual DataLoader, with random batches and with ready-made ones."""
    import torch
    from torch.nn.utils.rnn import pad_sequence
    from torch.utils.data import DataLoader

    torch.set_num_threads(1)  # threads of its own only wait for each other on copies this small
    lengths, features = data_of(count, seed)
    items = list(torch.from_numpy(features).split(lengths.tolist()))
    plan = layouts_of(lengths)["Bucketed"].plan(lengths, seed)
    similar = [plan.spans(index).sequence.tolist() for index in range(plan.num_batches)]

    def padded(batch: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        return pad_sequence(batch, batch_first=True), torch.tensor([len(item) for item in batch])

    return {
        "torch DataLoader, pad_sequence, random": partial(
            exhaust, DataLoader(items, BATCH_SIZE, shuffle=True, collate_fn=padded)
        ),
        "torch DataLoader, pad_sequence, similar lengths": partial(
            exhaust, DataLoader(items, batch_sampler=similar, collate_fn=padded)
        ),
    }


def tensorflow_runs(count: int, seed: int) -> Runs:
    """Three sources of tf.data's bucket_by_sequence_length."""
    import tensorflow as tf

    lengths, features = data_of(count, seed)
    ends = np.cumsum(lengths)
    items = np.split(features, ends[:-1])
    whole, splits = tf.constant(features), tf.constant(np.append(0, ends))
    ragged = tf.RaggedTensor.from_row_splits(whole, splits)
    sources = {
        "tf.data, generator": tf.data.Dataset.from_generator(
            lambda: iter(items), output_signature=tf.TensorSpec([None, FEATURES], tf.float32)
        ),
        "tf.data, ragged tensor": tf.data.Dataset.from_tensor_slices(ragged).map(tf.identity),
        "tf.data, slices of one tensor": tf.data.Dataset.range(count).map(
            lambda number: whole[splits[number] : splits[number + 1]], num_parallel_calls=tf.data.AUTOTUNE
        ),
    }
    boundaries = [upto + 1 for upto in quantiles(lengths, NUM_BUCKETS)]
    sizes = [BATCH_SIZE] * (len(boundaries) + 1)
    return {
        name: partial(
            exhaust,
            source.bucket_by_sequence_length(lambda item: tf.shape(item)[0], boundaries, sizes).prefetch(
                tf.data.AUTOTUNE
            ),
        )
        for name, source in sources.items()
    }


FAMILIES = {"drystone": drystone_runs, "torch": torch_runs, "tensorflow": tensorflow_runs}


def _set_up(family: str, count: int, seed: int) -> list[str]:
    _runs.update(FAMILIES[family](count, seed))
    return list(_runs)


def _run(name: str) -> float:
    return seconds_of(_runs[name])


def medians_of(count: int, seed: int, repeats: int) -> tuple[dict[str, float], list[str]]:
    """Returns the median seconds of an epoch of each contestant, and the families that are not installed."""
    processes = {family: fresh_process() for family in FAMILIES}
    turns: dict[str, Callable[[], float]] = {}
    missing: list[str] = []
    try:
        for family, process in processes.items():
            try:
                names = process.submit(_set_up, family, count, seed).result()
            except ImportError:
                missing.append(family)
                continue
            turns |= {name: lambda process=process, name=name: process.submit(_run, name).result() for name in names}
        return timed(turns, repeats), missing
    finally:
        for process in processes.values():
            process.shutdown()


def figures_of(medians: dict[str, float], lengths: Ints, seed: int) -> dict[str, dict[str, float]]:
    """Turns seconds an epoch into speeds and ratios."""
    steps = int(lengths.sum())
    padding = {name: layout.plan(lengths, seed).padding_fraction for name, layout in layouts_of(lengths).items()}
    figures: dict[str, dict[str, float]] = {}
    for name, seconds in medians.items():
        layout = name.partition(", ")[2]
        found = {
            "seconds": seconds,
            "real_steps_per_second": steps / seconds,
            "bytes_per_second": steps * FEATURES * 4 / seconds,
            "of_copy": medians[COPY] / seconds,
            "of_fresh_copy": medians[COPY_FRESH] / seconds,
        }
        if layout in padding:
            found["of_copy_counting_padding"] = found["of_copy"] / (1 - padding[layout])
        if name in BESIDE:
            found["drystone_is_faster_by"] = seconds / medians[BESIDE[name]]
        figures[name] = found
    return figures


def line(name: str, found: dict[str, float]) -> list[str]:
    cells, faster = found.get("of_copy_counting_padding"), found.get("drystone_is_faster_by")
    return [
        name,
        f"{found['real_steps_per_second'] / 1e6:.2f} M",
        f"{found['bytes_per_second'] / 1e9:.2f}",
        f"{found['of_copy']:.0%}",
        f"{found['of_fresh_copy']:.0%}",
        "" if cells is None else f"{cells:.0%}",
        "" if faster is None else f"{faster:.1f} × ({BESIDE[name]})",
    ]


def main() -> None:
    parser = arguments_of(__doc__, "collate")
    parser.add_argument("--count", type=int, default=10_000, help="sequences (default: 10,000, which is 150 MB)")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    medians, missing = medians_of(arguments.count, arguments.seed, arguments.repeats)
    figures = figures_of(medians, data_of(arguments.count, arguments.seed)[0], arguments.seed)
    headers = [
        "an epoch of",
        "real steps/s",
        "GB/s",
        "of copyto",
        "of copy()",
        "of copyto, cells",
        "drystone is faster by",
    ]
    print(markdown(headers, [line(name, found) for name, found in figures.items()]))
    for family in missing:
        print(f"{family}: not installed")
    settings = {"count": arguments.count, "seed": arguments.seed, "repeats": arguments.repeats}
    packages = ("drystone", "numpy", "pyarrow", "torch", "tensorflow-cpu")
    write(arguments.json, {**where(packages), **settings, "not_installed": missing, "figures": figures})


if __name__ == "__main__":
    main()
