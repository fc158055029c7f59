"""What the training loop costs beside forward, backward and optimiser: collating, events, figures, checkpoints.

    python benchmarks/overhead.py

The trainer of `drystone fit`, with all who watch it, runs epochs in turn with a bare loop: the same model, the same
batches as tensors that lie ready in memory, and nothing but zero_grad, forward, loss, backward, clipping and step.
The share that the bare loop does not need is the overhead: the median over epochs.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from common import arguments_of, lognormal_lengths, markdown, where, write
from torch import nn
from torch.nn import functional

import drystone as ds
from drystone import datasets
from drystone.torch import batches
from drystone.train import MetricsLog, Progress, Saver, Settings, Store
from drystone.train.parts import trainer_of
from drystone.train.prepare import Prepared, prepare

KEYS = ("overhead", "overhead_with_clipping")


def vowels(seed: int) -> tuple[ds.Sequences, Settings]:
    """The built-in data with the settings of `drystone fit japanese-vowels`."""
    record = datasets.find("japanese-vowels")
    settings = Settings.of(target=record.target, split_column=record.split_column, seed=seed, **record.settings)
    return ds.read("japanese-vowels"), settings


def long_sequences(seed: int) -> tuple[ds.Sequences, Settings]:
    """2,048 sequences of lognormal lengths (mean 59), 32 features, for a model of 256 units."""
    rng = np.random.default_rng(seed)
    x = [rng.standard_normal((length, 32), dtype=np.float32) for length in lognormal_lengths(2048, seed)]
    seqs = ds.Sequences.from_arrays({"x": x}, {"y": rng.integers(0, 4, len(x))})
    sizes: dict[str, Any] = {"hidden_size": 256, "layout": "packed", "batch_size": 64, "bidirectional": False}
    return seqs, Settings.of(target="y", seed=seed, test_fraction=0.0, **sizes)


def whole_epochs(prepared: Prepared, folder: Path) -> Iterator[float]:
    """Yields the seconds of each epoch of the trainer, with all who watch."""
    trainer = trainer_of(prepared, lambda: None)
    log = MetricsLog(folder / "metrics.jsonl")
    with ExitStack() as stack:
        progress = stack.enter_context(Progress(trainer.recipe, is_shown=False))
        saver = Saver(trainer, Store(folder / "checkpoints"), log, None, prepared.settings.checkpoint_seconds)
        started = time.perf_counter()
        for event in trainer.run():
            for watch in (log, progress, saver):
                watch(event)
            if trainer.counts.batches == 0:
                yield time.perf_counter() - started
                started = time.perf_counter()


def bare_epochs(prepared: Prepared, *, clips: bool) -> Iterator[float]:
    """Yields the seconds of each epoch of a loop that does nothing beside training."""
    model, settings = prepared.model, prepared.settings
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    codes = torch.from_numpy(prepared.codes[prepared.split.train])
    model.train()
    while True:
        ready = [(batch, codes[batch.host.ends.sequence]) for batch in batches(prepared.loader)]
        started = time.perf_counter()
        for batch, targets in ready:
            optimizer.zero_grad()
            logits = model(batch)
            functional.cross_entropy(logits, targets, label_smoothing=settings.label_smoothing).backward()
            if clips:
                nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip)
            optimizer.step()
        yield time.perf_counter() - started


def main() -> None:
    parser = arguments_of(__doc__, "overhead")
    parser.add_argument("--epochs", type=int, default=40, help="of each loop, on Japanese vowels; a tenth at 256 units")
    arguments = parser.parse_args()
    found = {}
    for name, make, epochs in (
        ("japanese-vowels, 128 units, both directions", vowels, arguments.epochs),
        ("2,048 sequences, 256 units", long_sequences, max(arguments.epochs // 10, 3)),
    ):
        seqs, settings = make(arguments.seed)
        with tempfile.TemporaryDirectory() as folder:
            loops = [
                whole_epochs(prepare(seqs, settings), Path(folder)),
                bare_epochs(prepare(seqs, settings), clips=True),
                bare_epochs(prepare(seqs, settings), clips=False),
            ]
            seconds = np.array([[next(loop) for loop in loops] for _ in range(epochs + 1)])[1:]
        whole, bare, barest = seconds.T
        found[name] = {
            "seconds_an_epoch": median(whole),
            "overhead": median(1 - bare / whole),
            "overhead_with_clipping": median(1 - barest / whole),
        }
    rows = [
        (name, f"{1e3 * figures['seconds_an_epoch']:.0f}", *(f"{100 * figures[key]:.1f}%" for key in KEYS))
        for name, figures in found.items()
    ]
    print(markdown(["training", "ms an epoch", "overhead", "clipping counted as overhead"], rows))
    settings = {"epochs": arguments.epochs, "seed": arguments.seed, "threads": torch.get_num_threads()}
    write(arguments.json, {**where(("drystone", "torch", "lightning-fabric")), **settings, "figures": found})


if __name__ == "__main__":
    main()
