"""A training of one's own, on as many ranks as there are."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchmetrics import MeanSquaredError

import drystone as ds
from drystone.core.layouts import Layout
from drystone.train import (
    Best,
    Checkpoint,
    EpochEnded,
    Evaluated,
    Evaluator,
    MetricsLog,
    Recipe,
    Saver,
    Store,
    Trainer,
    Updated,
    current_ranks,
)
from drystone.train.tasks.figures import R2, RootMeanSquare
from tests.train.loop.models import Tagger, by_sequence, by_step, random_sequences

LENGTHS = np.random.default_rng(0).lognormal(2, 0.8, 37).astype(int) + 1
LAYOUTS: dict[str, tuple[Layout, dict[str, Any]]] = {
    "padded": (ds.Padded(7), {}),
    "bucketed": (ds.Bucketed(num_buckets=3, batch_size=5), {"batches_per_update": 2}),
    "packed": (ds.Packed(rows=6, steps=60), {"batches_per_update": 2}),
    "stateful": (ds.Stateful(rows=5, steps=4), {}),
    "stateful far back": (ds.Stateful(rows=5, steps=4), {"backprop_steps": 12, "batches_per_update": 3}),
}


def trainer_of(name: str, *, dropout: float = 0.0, epochs: int = 3) -> Trainer:
    """The same training on any number of ranks: each begins with weights of its own, and those of rank 0 count."""
    ranks = current_ranks()
    layout, more = LAYOUTS[name]
    torch.manual_seed(ranks.rank)
    loader = ds.Loader(random_sequences(LENGTHS.tolist()), layout, 3, rank=ranks.rank, num_ranks=ranks.num_ranks)
    metrics = {"mse": MeanSquaredError(), "r2": R2(), "rmse": RootMeanSquare()}
    valid = ds.Loader(random_sequences([3, 9, 1, 4, 17], seed=1), ds.Stateful(rows=3, steps=5))
    objective = by_step if layout.carries else by_sequence
    return Trainer(
        Tagger(dropout=dropout),
        loader,
        objective,
        Recipe(epochs=epochs, learning_rate=0.01, evaluate_every=5, **more),
        evaluator=Evaluator(by_step, valid, metrics),
        metrics=metrics if layout.carries else None,
    )


def told_of(trainer: Trainer) -> list[tuple[str, dict[str, float]]]:
    """Trains to the end, and returns all that the events say, but for times."""
    return [found for event in trainer.run() if (found := told(event)) is not None]


def told(event: Any) -> tuple[str, dict[str, float]] | None:
    if isinstance(event, Updated):
        names = ("loss", "weight", "sequences", "steps", "learning_rate", "gradient_norm", "progress")
        return f"update {event.update}", {name: float(getattr(event, name)) for name in names}
    if isinstance(event, (EpochEnded, Evaluated)):
        figures = {name: value for name, value in event.figures.items() if name != "seconds"}
        return f"{type(event).__name__} {event.update}", figures
    return None


def trainings() -> dict[str, list[Any]]:
    """Of each layout, what the training tells."""
    return {name: told_of(trainer_of(name)) for name in LAYOUTS}


def saved_at(name: str, update: int, folder: Path, dropout: float) -> list[Any]:
    """Trains to the end, and saves after an update on the way; returns what is told after it."""
    trainer = trainer_of(name, dropout=dropout)
    log = MetricsLog(folder / "metrics.jsonl")
    saver = Saver(trainer, Store(folder), log, Best(monitor="loss", higher_is_better=False), 1e9)
    found: list[Any] = []
    is_saved = False
    for event in trainer.run():
        if is_saved and (what := told(event)) is not None:
            found.append(what)
        if isinstance(event, Updated) and event.update == update:
            saver.save()
            is_saved = True
    return [*found, weights_of(trainer)]


def gone_on(name: str, folder: Path, dropout: float) -> list[Any]:
    """Goes on from what `saved_at` saved, to the end."""
    trainer = trainer_of(name, dropout=dropout)
    checkpoint, _ = Store(folder).newest()
    assert isinstance(checkpoint, Checkpoint)
    log = MetricsLog(folder / "metrics.jsonl")
    Saver(trainer, Store(folder), log, Best(monitor="loss", higher_is_better=False), 1e9).load(checkpoint)
    return [*told_of(trainer), weights_of(trainer)]


def weights_of(trainer: Trainer) -> tuple[str, dict[str, float]]:
    values = torch.cat([value.flatten() for value in trainer.model.state_dict().values()]).tolist()
    return "weights", {str(number): value for number, value in enumerate(values)}


def assert_close(found: list[Any], expected: list[Any], tolerance: float = 1e-10) -> None:
    """Proves that two trainings told the same."""
    assert [name for name, _ in found] == [name for name, _ in expected]
    for (name, here), (_, there) in zip(found, expected, strict=True):
        assert here.keys() == there.keys()
        for figure, value in here.items():
            wanted = there[figure]
            assert abs(value - wanted) <= tolerance * max(abs(wanted), 1.0), f"{name}: {figure} {value} {wanted}"
