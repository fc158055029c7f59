"""What the training loop costs beside forward, backward and optimiser: collating, events, figures, checkpoints.

    python benchmarks/overhead.py

The trainer of `drystone fit` trains, with all who watch it. Forward with its loss, backward, and the optimiser (zero_grad,
clipping, step) are timed inside of it; the rest of the wall time is overhead: the share of the whole, as the median
over epochs. Beside it, a bare loop runs epochs in turn with the trainer: the same model, batches that lie ready as tensors,
and nothing else. So what the reading ahead takes from the other core is counted too.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
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
from drystone.train.loop import step
from drystone.train.parts import trainer_of
from drystone.train.prepare import Prepared, prepare
from drystone.train.tasks.classify.labels import labelled
from drystone.train.tasks.outputs.kinds import from_plain


class Stopwatch:
    """Adds up the seconds inside of functions that it wraps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            started = time.perf_counter()
            result = function(*arguments, **named)
            self.seconds += time.perf_counter() - started
            return result

        return timed


class TimedModule(nn.Module):
    """Times the calls of a wrapped model."""

    def __init__(self, module: nn.Module, watch: Stopwatch) -> None:
        super().__init__()
        self.forward = watch.around(module.__call__)


def vowels(seed: int) -> tuple[ds.Sequences, Settings]:
    """The built-in data with the settings of `drystone fit japanese-vowels`."""
    record = datasets.find("japanese-vowels")
    settings = Settings.of(target=record.target, split_column=record.split_column, seed=seed, **record.settings)
    return ds.read("japanese-vowels"), settings


def long_sequences(seed: int) -> tuple[ds.Sequences, Settings]:
    """512 sequences of lognormal lengths (mean 59), 32 features, packed, for a model of 256 units."""
    rng = np.random.default_rng(seed)
    x = [rng.standard_normal((length, 32), dtype=np.float32) for length in lognormal_lengths(512, seed)]
    seqs = ds.Sequences.from_arrays({"x": x}, {"y": rng.integers(0, 4, len(x))})
    sizes: dict[str, Any] = {"hidden_size": 256, "layout": "packed", "batch_size": 64, "bidirectional": False}
    return seqs, Settings.of(target="y", seed=seed, test_fraction=0.0, **sizes)


def whole_epochs(prepared: Prepared, folder: Path) -> Iterator[tuple[float, float]]:
    """Yields the seconds of each epoch of the trainer with all who watch, and those of training alone."""
    watch = Stopwatch()
    trainer = trainer_of(prepared, lambda: None)
    stepper: step.Stepper = trainer._stepper
    stepper._forward = TimedModule(stepper._forward, watch)
    stepper.fabric.backward = watch.around(stepper.fabric.backward)
    stepper._clipped = watch.around(stepper._clipped)
    for name in ("zero_grad", "step"):
        setattr(stepper._optimizer, name, watch.around(getattr(stepper._optimizer, name)))
    log = MetricsLog(folder / "metrics.jsonl")
    with ExitStack() as stack:
        progress = stack.enter_context(Progress(trainer.recipe, is_shown=False))
        saver = Saver(trainer, Store(folder / "checkpoints"), log, None, prepared.settings.checkpoint_seconds)
        started = time.perf_counter()
        for event in trainer.run():
            for told in (log, progress, saver):
                told(event)
            if trainer.counts.batches == 0:
                yield time.perf_counter() - started, watch.seconds
                started, watch.seconds = time.perf_counter(), 0.0


def bare_epochs(prepared: Prepared) -> Iterator[float]:
    """Yields the seconds of each epoch of a loop that does nothing beside training."""
    model, settings = prepared.model, prepared.settings
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    seqs = labelled(prepared.loader.seqs, settings.target)
    codes = torch.from_numpy(from_plain(prepared.task.schema.outputs).encoded(seqs.field(settings.target).values))
    model.train()
    while True:
        ready = [(batch, codes[batch.host.ends.sequence]) for batch in batches(prepared.loader)]
        started = time.perf_counter()
        for batch, targets in ready:
            optimizer.zero_grad()
            logits = model(batch)
            functional.cross_entropy(logits, targets, label_smoothing=settings.label_smoothing).backward()
            nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip)
            optimizer.step()
        yield time.perf_counter() - started


def main() -> None:
    parser = arguments_of(__doc__, "overhead")
    parser.add_argument("--epochs", type=int, default=40, help="on Japanese vowels; a quarter at 256 units")
    arguments = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    for name, make, epochs in (
        ("japanese-vowels, 128 units, both directions", vowels, arguments.epochs),
        ("512 sequences, 256 units", long_sequences, max(arguments.epochs // 4, 3)),
    ):
        seqs, settings = make(arguments.seed)
        with tempfile.TemporaryDirectory() as folder:
            whole = whole_epochs(prepare(seqs, settings), Path(folder))
            bare = bare_epochs(prepare(seqs, settings))
            seconds = np.array([[*next(whole), next(bare)] for _ in range(epochs + 1)])[1:]
        wall, training, alone = seconds.T
        found[name] = {
            "seconds_an_epoch": median(wall),
            "overhead": median(1 - training / wall),
            "beside_a_bare_loop": median(1 - alone / wall),
        }
    rows = [
        (name, f"{1e3 * figures['seconds_an_epoch']:.0f}", *(f"{100 * figures[key]:.1f}%" for key in KEYS))
        for name, figures in found.items()
    ]
    print(markdown(["training", "ms an epoch", "overhead", "more than a bare loop"], rows))
    settings = {"epochs": arguments.epochs, "seed": arguments.seed, "threads": torch.get_num_threads()}
    write(arguments.json, {**where(("drystone", "torch", "lightning-fabric")), **settings, "figures": found})


KEYS = ("overhead", "beside_a_bare_loop")

if __name__ == "__main__":
    main()
