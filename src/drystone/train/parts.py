"""The trainer and the evaluator of a run, put together from its settings."""

from collections.abc import Callable

import numpy as np
import torch
from lightning_fabric import Fabric

from drystone.core.loader import Loader
from drystone.train.layouts import prediction_layout
from drystone.train.loop.evaluator import Evaluator
from drystone.train.loop.recipe import Recipe
from drystone.train.loop.trainer import Trainer
from drystone.train.prepare import Prepared
from drystone.train.settings import Settings
from drystone.train.tasks.classify import Classify, metrics
from drystone.train.watch.best import Best


def recipe_of(settings: Settings) -> Recipe:
    """Returns the part of the settings that the loop follows."""
    return Recipe(
        epochs=settings.epochs,
        updates=settings.updates,
        seconds=settings.seconds,
        learning_rate=settings.learning_rate,
        schedule=settings.schedule,
        warmup=settings.warmup,
        weight_decay=settings.weight_decay,
        gradient_clip=settings.gradient_clip or None,
        batches_per_update=settings.batches_per_update,
        evaluate_every=settings.evaluate_every,
    )


def trainer_of(prepared: Prepared, between: Callable[[], object]) -> Trainer:
    """Returns the trainer of the training part.

    Args:
        prepared: data, model and settings.
        between: called between the batches of an evaluation; may raise to end it.
    """
    settings, split = prepared.settings, prepared.split
    return Trainer(
        prepared.model,
        prepared.loader,
        Classify(prepared.codes[split.train], settings.label_smoothing),
        recipe_of(settings),
        evaluator=evaluator_of(prepared, "valid", between) if len(split.valid) else None,
        metrics=metrics(len(prepared.schema.classes)),
        fabric=_fabric(prepared),
    )


def evaluator_of(prepared: Prepared, part: str, between: Callable[[], object]) -> Evaluator:
    """Returns the evaluator of one part of the data."""
    indices = prepared.split.part(part)
    seqs = prepared.seqs.select(indices)
    loader = Loader(seqs, prediction_layout(seqs.lengths), fields=prepared.schema.features.names)
    codes: np.ndarray[tuple[int], np.dtype[np.int64]] = prepared.codes[indices]
    return Evaluator(Classify(codes), loader, metrics(len(prepared.schema.classes)), between=between)


def best_of(prepared: Prepared) -> Best | None:
    """Returns what follows the figure that the settings name, where there is a validation part."""
    if not len(prepared.split.valid):
        return None
    metric = metrics(len(prepared.schema.classes)).get(prepared.settings.monitor)
    return Best(monitor=prepared.settings.monitor, higher_is_better=bool(metric and metric.higher_is_better))


def _fabric(prepared: Prepared) -> Fabric:
    device = prepared.device
    number = (
        device.index if device.index is not None else torch.cuda.current_device() if device.type == "cuda" else None
    )
    return Fabric(
        accelerator=device.type,
        devices=1 if number is None else [number],
        precision=prepared.settings.precision,
    )
