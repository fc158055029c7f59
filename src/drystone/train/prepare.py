"""All that can go wrong before training is checked here, and nothing is written."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from drystone.core.errors import ConfigError, DataError, RunError
from drystone.core.loader import Loader
from drystone.core.sequences import Sequences
from drystone.train.device import check_precision, device_of
from drystone.train.features import choose_features
from drystone.train.layouts import training_layout
from drystone.train.loaders import loader_of
from drystone.train.model import ModelSpec, SequenceClassifier
from drystone.train.schema import Schema
from drystone.train.settings import NEED_VALIDATION, Settings
from drystone.train.split import Split, by_column, stratified
from drystone.train.tasks.classify import classes_of, codes_of, labels_of, metrics


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """All that training needs.

    Args:
        seqs: all sequences.
        settings: with the keys of the sequences filled in.
        schema: the fields and classes of the model.
        codes: [sequences] the class of each.
        split: which sequences are for what.
        loader: the training part.
        model: not trained yet, with the statistics of the training part.
        device: where the model is.
    """

    seqs: Sequences
    settings: Settings
    schema: Schema
    codes: npt.NDArray[np.int64]
    split: Split
    loader: Loader
    model: SequenceClassifier
    device: torch.device


def prepare(seqs: Sequences, settings: Settings) -> Prepared:
    """Checks data and settings against each other, draws the split and makes the model."""
    seqs, settings = _with_keys(seqs, settings)
    if not len(seqs):
        raise DataError("there are no sequences to train on.")
    labels = labels_of(seqs, settings.target)
    features = choose_features(seqs, settings.features, settings.target)
    split = _split(seqs, settings, labels)
    schema = Schema(
        features=features,
        target=settings.target,
        classes=classes_of(labels[split.train]),
        data=seqs.fingerprint((*features.names, settings.target)),
    )
    _check_monitor(settings, schema)
    return _put_together(seqs, settings, schema, split, labels)


def prepare_again(seqs: Sequences, settings: Settings, schema: Schema, split: Split) -> Prepared:
    """Makes the same as `prepare` did for a run that goes on.

    Raises:
        RunError: these are not the sequences that the run was made from.
    """
    seqs, settings = _with_keys(seqs, settings)
    try:
        schema.features.check(seqs)
        data = seqs.fingerprint((*schema.features.names, schema.target))
    except DataError as error:
        raise RunError(f"these are not the sequences that the run was made from: {error}") from error
    if data != schema.data:
        raise RunError(
            f"these are not the sequences that the run was made from: {len(seqs)} sequences of {seqs.num_steps} steps, "
            f"with other values in {', '.join(schema.features.names)} or {schema.target}, or another order."
        )
    return _put_together(seqs, settings, schema, split, labels_of(seqs, settings.target))


def _check_monitor(settings: Settings, schema: Schema) -> None:
    figures = ("loss", *metrics(len(schema.classes)))
    if settings.monitor not in figures:
        raise ConfigError(f"monitor is {settings.monitor!r}; the figures are: {', '.join(figures)}.")


def _put_together(
    seqs: Sequences, settings: Settings, schema: Schema, split: Split, labels: npt.NDArray[Any]
) -> Prepared:
    layout = training_layout(settings)
    layout.check(seqs.lengths[split.train], split.train)
    device = device_of(settings.device)
    check_precision(settings.precision, device)
    loader = loader_of(seqs.select(split.train), layout, schema.features, device, seed=settings.seed)
    model = SequenceClassifier(ModelSpec(schema.features, len(schema.classes), settings))
    model.set_statistics(*schema.features.statistics(loader.seqs))
    return Prepared(
        seqs=seqs,
        settings=settings,
        schema=schema,
        codes=codes_of(labels, schema.classes, seqs, settings.target),
        split=split,
        loader=loader,
        model=model.to(device),
        device=device,
    )


def _with_keys(seqs: Sequences, settings: Settings) -> tuple[Sequences, Settings]:
    """Sequences may know their id and order already; settings may say them; both must say the same."""
    keys: dict[str, str | None] = {}
    for key in ("sequence_id", "order_by"):
        known, said = getattr(seqs, key), getattr(settings, key)
        if known is not None and said is not None and known != said:
            raise ConfigError(f"{key} is {said!r}, but the sequences were read with {known!r}.")
        keys[key] = said or known
        if said is not None:
            seqs.field(said)
    return replace(seqs, **keys), settings.model_copy(update=keys)


def _split(seqs: Sequences, settings: Settings, labels: npt.NDArray[Any]) -> Split:
    split = _drawn(labels, settings) if settings.split_column is None else _stated(seqs, settings, labels)
    fractions = {"valid": settings.valid_fraction, "test": settings.test_fraction or 0.0}
    for part, fraction in fractions.items():
        if fraction and not len(split.part(part)):
            raise DataError(
                f"no class has enough sequences for a {part} part of {fraction:.0%}: there are {len(seqs)} sequences of "
                f"{len(np.unique(labels))} classes. Is {settings.target!r} the right target? Else give a larger "
                f"{part}_fraction, or 0 for none."
            )
    return split


def _drawn(labels: npt.NDArray[Any], settings: Settings) -> Split:
    return stratified(labels, settings.seed, settings.valid_fraction, settings.test_fraction or 0.0)


def _stated(seqs: Sequences, settings: Settings, labels: npt.NDArray[Any]) -> Split:
    """The parts that a column states; a validation part that it does not state may be drawn from the training part."""
    assert settings.split_column is not None
    split = by_column(seqs, settings.split_column)
    if settings.valid_fraction and len(split.valid):
        raise ConfigError(f"{settings.split_column!r} states a validation part; leave out valid_fraction.")
    if settings.valid_fraction:
        drawn = stratified(labels[split.train], settings.seed, settings.valid_fraction, 0.0)
        split = Split(train=split.train[drawn.train], valid=split.train[drawn.valid], test=split.test)
    for name in NEED_VALIDATION:
        if getattr(settings, name) is not None and not len(split.valid):
            raise ConfigError(
                f'{name} needs a validation part, and no sequence has "valid" in {settings.split_column!r}; '
                f"valid_fraction draws one from the training part."
            )
    return split
