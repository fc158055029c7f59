"""The trainer and the evaluator of a run, put together from its settings."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from lightning_fabric import Fabric

from drystone.core.loader import Loader
from drystone.train.loaders import prediction_loader
from drystone.train.loop.evaluator import Evaluator
from drystone.train.loop.recipe import Recipe
from drystone.train.loop.trainer import Trainer
from drystone.train.prepare import Prepared
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.tasks.classify import Classify, metrics
from drystone.train.watch.best import Best


def recipe_of(settings: Settings) -> Recipe:
    """Returns the part of the settings that the loop follows."""
    same: dict[str, Any] = {field.name: getattr(settings, field.name) for field in fields(Recipe)}
    same["gradient_clip"] = settings.gradient_clip or None  # TOML has no word for none
    return Recipe(**same)


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
        evaluator=part_evaluator(prepared, "valid", between) if len(split.valid) else None,
        metrics=metrics(len(prepared.schema.classes)),
        fabric=_fabric(prepared),
    )


def part_evaluator(prepared: Prepared, part: str, between: Callable[[], object]) -> Evaluator:
    """Returns the evaluator of one part of the data."""
    indices = prepared.split.part(part)
    loader = prediction_loader(prepared.seqs.select(indices), prepared.schema.features, prepared.device)
    return evaluator_of(loader, prepared.codes[indices], prepared.schema, between)


def evaluator_of(
    loader: Loader, codes: npt.NDArray[np.int64], schema: Schema, between: Callable[[], object] | None = None
) -> Evaluator:
    """Returns what measures a classifier on sequences whose classes are known."""
    return Evaluator(Classify(codes), loader, metrics(len(schema.classes)), between=between)


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
