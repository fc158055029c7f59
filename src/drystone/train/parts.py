"""The trainer and the evaluator of a run, put together from its settings."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import torch
from lightning_fabric import Fabric

from drystone.plots.figure import Picture
from drystone.train.features.unknown import with_unknown
from drystone.train.loop.evaluator import Evaluator
from drystone.train.loop.recipe import Recipe
from drystone.train.loop.trainer import Trainer
from drystone.train.pictures import pictures_of, title_of
from drystone.train.prepare import Prepared
from drystone.train.settings import Settings
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
    task, ranks = prepared.task, prepared.ranks
    loader = prepared.loader if ranks.is_alone else prepared.loader.share(ranks.rank, ranks.num_ranks)
    return Trainer(
        prepared.model,
        loader,
        with_unknown(
            task.objective(loader.seqs), task.schema.features, rate=task.settings.unknown_rate, seed=task.settings.seed
        ),
        recipe_of(task.settings),
        evaluator=part_evaluator(prepared, "valid", between) if len(prepared.split.valid) else None,
        metrics=task.metrics(),
        fabric=_fabric(prepared),
    )


def part_evaluator(prepared: Prepared, part: str, between: Callable[[], object]) -> Evaluator:
    """Returns the evaluator of one part of the data."""
    return prepared.task.evaluator(prepared.parts[part], prepared.device, between)


def part_baselines(prepared: Prepared, part: str) -> dict[str, dict[str, float]]:
    """Returns the figures of trivial predictions on one part of the data."""
    return prepared.task.baselines(prepared.parts[part])


def part_pictures(
    prepared: Prepared, part: str, figures: Mapping[str, Any], between: Callable[[], object]
) -> dict[str, Picture]:
    """Returns the pictures of one part of the data, by the names of their files.

    Args:
        prepared: data, and the model, trained.
        part: "test" or "valid".
        figures: of the part, with `baselines`.
        between: as `part_evaluator` takes it.
    """
    title = title_of(prepared.task, {"test": "test part", "valid": "validation part"}[part], figures)
    return pictures_of(prepared.task, prepared.model, prepared.parts[part], title, between)


def best_of(prepared: Prepared) -> Best | None:
    """Returns what follows the figure that the settings name, where there is a validation part."""
    if not len(prepared.split.valid):
        return None
    figure = prepared.task.about.figures[prepared.settings.monitor]
    return Best(monitor=prepared.settings.monitor, higher_is_better=figure.higher_is_better)


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
