"""Training in one call: from sequences to a run folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file

from drystone.core.errors import ConfigError, DataError
from drystone.core.loader import Loader
from drystone.core.sequences import Sequences
from drystone.core.storage import whole_file
from drystone.plots.curves import save_curves
from drystone.train import folder
from drystone.train.device import device_of
from drystone.train.evaluator import Scores, probabilities_of, score
from drystone.train.features import Features, choose_features
from drystone.train.history import EpochSums
from drystone.train.layouts import training_layout
from drystone.train.loop import train
from drystone.train.model import ModelSpec, SequenceClassifier
from drystone.train.progress import Progress
from drystone.train.run import Run
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.split import Split, by_column, stratified
from drystone.train.tasks.classify import classes_of, codes_of, labels_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """All that training needs, checked before anything is written."""

    seqs: Sequences
    settings: Settings
    features: Features
    schema: Schema
    codes: npt.NDArray[np.int64]
    split: Split
    device: torch.device


def fit(
    seqs: Sequences,
    target: str,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: bool = True,
    name: str = "run",
    **settings: Any,
) -> Run:
    """Trains a classifier of sequences, and writes a run folder.

    Args:
        seqs: all sequences; the split into parts is drawn here, unless `split_column` states it.
        target: the field that holds the class of each sequence.
        out: the run folder; by default a new one, runs/NAME-1, runs/NAME-2, ...
        overwrite: whether an older run in `out` may be replaced.
        progress: whether a progress bar is shown.
        name: of new run folders.
        **settings: any of `drystone.train.Settings`: epochs=100, hidden_size=64, seed=1, ...

    Returns:
        The run; if Ctrl-C stopped it, with the weights that it had then and `is_finished` false.

    Raises:
        DataError, LayoutError, ConfigError, RunError: what came cannot be used; nothing is written then.

    Example:
        >>> import drystone as ds
        >>> seqs = ds.read("japanese-vowels")
        >>> run = ds.fit(seqs, target="speaker", split_column="part", epochs=2, hidden_size=8, progress=False)
        >>> run.metrics[-1]["part"]
        'test'
    """
    path = None if out is None else Path(out)
    folder.check_free(path, overwrite=overwrite)
    prepared = prepare(seqs, Settings.of(target=target, **settings))
    return _run(prepared, folder.make_folder(path, name), progress=progress)


def prepare(seqs: Sequences, settings: Settings) -> Prepared:
    """Checks data and settings against each other, and draws the split; writes nothing."""
    labels = labels_of(seqs, settings.target)
    features = choose_features(seqs, settings.features, settings.target)
    split = _split(seqs, settings, labels)
    classes = classes_of(labels[split.train])
    codes = codes_of(labels, classes, seqs, settings.target)
    training_layout(settings).check(seqs.lengths)
    schema = Schema(features=features, target=settings.target, classes=classes, data=seqs.fingerprint(features.names))
    return Prepared(
        seqs=seqs,
        settings=settings,
        features=features,
        schema=schema,
        codes=codes,
        split=split,
        device=device_of(settings.device),
    )


def _split(seqs: Sequences, settings: Settings, labels: npt.NDArray[Any]) -> Split:
    if settings.split_column is not None:
        given = {"test_fraction", "valid_fraction"} & settings.model_fields_set
        if given:
            raise ConfigError(f"split_column states the parts; leave out {' and '.join(sorted(given))}.")
        return by_column(seqs, settings.split_column)
    split = stratified(labels, settings.seed, settings.valid_fraction, settings.test_fraction)
    if settings.test_fraction and not len(split.test):
        raise DataError(
            f"{len(seqs)} sequences are too few for a test part of {settings.test_fraction:.0%}. "
            f"Give a larger test_fraction, or 0 for none."
        )
    return split


def _run(prepared: Prepared, path: Path, *, progress: bool) -> Run:
    settings, split = prepared.settings, prepared.split
    loader = Loader(
        prepared.seqs.select(split.train), training_layout(settings), settings.seed, fields=prepared.features.names
    )
    settings.save(path / folder.SETTINGS)
    prepared.schema.save(path / folder.SCHEMA)
    split.save(path / folder.SPLIT)
    loader.plan.save(path / folder.PLAN)
    cuda = [prepared.device] if prepared.device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(settings.seed)
        model = SequenceClassifier(ModelSpec(prepared.features, len(prepared.schema.classes), settings))
        model.set_statistics(*prepared.features.statistics(loader.seqs))
        model.to(prepared.device)
        is_finished = _train(prepared, model, loader, path, progress=progress)
    with whole_file(path / folder.WEIGHTS) as partial:
        save_file({name: value.contiguous().cpu() for name, value in model.state_dict().items()}, partial)
    if len(split.test):
        _append(path, {"part": "test", **_scores(prepared, model, "test").to_dict()})
    run = Run(
        path=path, settings=settings, schema=prepared.schema, split=split, model=model.eval(), is_finished=is_finished
    )
    save_curves(run.metrics, path / folder.CURVES)
    return run


def _train(prepared: Prepared, model: SequenceClassifier, loader: Loader, path: Path, *, progress: bool) -> bool:
    settings, split = prepared.settings, prepared.split
    sums = EpochSums(0)
    codes = prepared.codes[split.train]
    with Progress(settings.epochs, loader.seqs.num_steps, is_shown=progress) as bar:
        try:
            for update in train(model, loader, codes, settings, prepared.device):
                sums.add(update)
                bar.show(sums)
                if update.is_last:
                    valid = _scores(prepared, model, "valid") if len(split.valid) else None
                    _append(path, sums.record(valid))
                    bar.end_epoch(sums)
                    sums = EpochSums(update.epoch + 1)
        except KeyboardInterrupt:
            return False
    return True


def _scores(prepared: Prepared, model: SequenceClassifier, part: str) -> Scores:
    indices = prepared.split.part(part)
    probabilities = probabilities_of(model, prepared.seqs.select(indices), prepared.device)
    return score(probabilities, prepared.codes[indices])


def _append(path: Path, record: dict[str, Any]) -> None:
    with (path / folder.METRICS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
