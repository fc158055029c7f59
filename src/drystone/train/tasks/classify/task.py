"""Classify, as a run knows it."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import nn
from torchmetrics import Metric

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.plots.figure import Picture
from drystone.train.features.choose import choose_features
from drystone.train.loaders import prediction_loader
from drystone.train.loop.evaluator import Evaluator, device_of_model
from drystone.train.model import ModelSpec
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.split import Ints, Split
from drystone.train.tasks.classify.about import CLASSIFY, LABEL_SMOOTHING
from drystone.train.tasks.classify.labels import kind_for, label_field, labelled, strata_of
from drystone.train.tasks.classify.model import SequenceClassifier
from drystone.train.tasks.classify.objective import SequenceLosses, probabilities_only
from drystone.train.tasks.drawn import missing_parts, parts_of
from drystone.train.tasks.number_names import number_names
from drystone.train.tasks.outputs.classes import Classes
from drystone.train.tasks.outputs.kinds import from_plain, to_plain
from drystone.train.tasks.outputs.loss import Loss
from drystone.train.tasks.outputs.outputs import Outputs
from drystone.train.tasks.pictures import pairs_of, pictures_of
from drystone.train.tasks.task import Scores, Task, id_column

MAX_NAMES_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScores(Scores):
    """Figures of a classifier; those of other kinds of output are None.

    Args:
        accuracy: the share of sequences whose class is the most probable one; of several labels, whose labels are all right.
        f1: the mean of the F1 of each class, or label.
        micro_f1: of several labels: the F1 of all of them together.
    """

    accuracy: float
    f1: float
    micro_f1: float | None = None


class Classify(Task):
    """One class a sequence, or several labels at once."""

    about = CLASSIFY

    def __init__(self, settings: Settings, schema: Schema) -> None:
        super().__init__(settings, schema)
        self.outputs: Outputs = from_plain(schema.outputs)

    @classmethod
    def check_target(cls, seqs: Sequences, target: str) -> None:
        """Proves that the target is one value a sequence, or a vector of 0 and 1."""
        label_field(seqs, target)

    @classmethod
    def filled_in(cls, seqs: Sequences, settings: Settings) -> Settings:
        """Returns the settings with the label smoothing of classes, or of several labels."""
        if settings.label_smoothing is not None:
            return settings
        usual = LABEL_SMOOTHING if kind_for(seqs, settings.target) is Classes else 0.0
        return settings.model_copy(update={"label_smoothing": usual})

    @classmethod
    def split(cls, seqs: Sequences, settings: Settings) -> Split:
        """Proves that every sequence has its labels, and draws parts in which each has its share."""
        strata = strata_of(labelled(seqs, settings.target), settings.target)
        return Split.of_wholes(seqs.lengths, _parts(seqs, settings, strata))

    @classmethod
    def schema_of(cls, seqs: Sequences, settings: Settings, split: Split) -> Schema:
        """Proves that training sees the class of every sequence."""
        target = settings.target
        found = labelled(seqs, target)
        train = found.select(split.train)
        outputs = kind_for(seqs, target).of(train, target)
        outputs.check(found, target)
        targets = outputs.encoded(train.field(target).values)
        Loss.in_training(outputs, settings, targets)  # proves that its settings suit
        _warn_of_constant(targets, number_names(target, train.field(target).item_shape))
        features = choose_features(seqs, settings.wishes, split.sequences(seqs, "train"), target)
        baselines = {outputs.baseline: outputs.trivial(targets).tolist()}
        return Schema.of(seqs, features, target, to_plain(outputs), baselines)

    def new_model(self) -> SequenceClassifier:
        """Returns a classifier."""
        spec = ModelSpec(self.schema.features, self.outputs.num_outputs, self.settings)
        return SequenceClassifier(spec, self.outputs)

    def objective(self, seqs: Sequences) -> SequenceLosses:
        """Returns the losses of the sequences, with smoothed and weighted labels."""
        targets = self._targets(seqs)
        return SequenceLosses(targets, Loss.in_training(self.outputs, self.settings, targets))

    def metrics(self) -> dict[str, Metric]:
        """Returns accuracy and F1."""
        return {name: metric for name, metric in self.outputs.metrics().items() if name in self.about.figures}

    def evaluator(
        self, seqs: Sequences, device: torch.device, between: Callable[[], object] | None = None
    ) -> Evaluator:
        """Returns what measures a classifier, by the labels as they are."""
        loader = prediction_loader(seqs, self.fields(seqs), device)
        losses = SequenceLosses(self._targets(seqs), Loss(outputs=self.outputs))
        return Evaluator(losses, loader, self.metrics(), between=between)

    def scores(self, seqs: Sequences, figures: Mapping[str, float]) -> ClassScores:
        """Returns the loss and the figures of this kind of output."""
        named: dict[str, Any] = {name: figures[name] for name in ("loss", *self.metrics())}
        return ClassScores(sequences=len(seqs), **named)

    def baselines(self, seqs: Sequences) -> dict[str, dict[str, float]]:
        """Returns the figures of saying of every sequence what the training part says most."""
        targets = torch.from_numpy(self._targets(seqs))
        said = torch.tensor(self.schema.baselines[self.outputs.baseline], dtype=torch.float64).repeat(len(targets), 1)
        figures = self.measured(self.outputs.readable(said), targets)
        return {self.outputs.baseline: figures | {"loss": float(self.outputs.losses(said, targets).sum(dim=1).mean())}}

    def predict(self, model: nn.Module, seqs: Sequences) -> pa.Table:
        """Returns one row a sequence: `sequence`, its id, and what `columns` says."""
        loader = prediction_loader(seqs, self.fields(seqs), device_of_model(model))
        found = np.zeros((len(seqs), self.outputs.num_outputs))
        for batch, outcome in Evaluator(probabilities_only, loader).outcomes(model):
            assert outcome.predictions is not None
            found[batch.host.ends.sequence] = outcome.predictions.cpu().numpy()
        broken = np.isnan(found).any(axis=1)
        if broken.any():
            raise DataError(
                f"{seqs.place(int(np.argmax(broken)))} holds numbers so far from the training data that the model overflows."
            )
        columns = self.columns(found)
        return self.outputs.table({"sequence": np.arange(len(seqs))} | id_column(seqs, ("sequence", *columns)), columns)

    def pictures(
        self, model: nn.Module, seqs: Sequences, title: str, between: Callable[[], object] | None = None
    ) -> dict[str, Picture]:
        """Returns the confusion matrix; of several labels nothing."""
        found = pairs_of(self.evaluator(seqs, device_of_model(model), between).outcomes(model))
        return pictures_of(self.outputs, found, self.schema.target, len(seqs), "sequences", title)

    @property
    def output_names(self) -> tuple[str, ...]:
        """p_CLASS for every class, or p_LABEL for every label."""
        return self.outputs.names(self.schema.target)

    def columns(self, outputs: npt.NDArray[Any]) -> dict[str, list[Any]]:
        """Returns `prediction`, its `probability`, and p_CLASS for every class; or the labels that are yes, and p_LABEL."""
        return self.outputs.columns(self.schema.target, outputs)

    def __str__(self) -> str:
        between = " in" if isinstance(self.outputs, Classes) else ":"
        return f"{self.schema.target!r}{between} {self.outputs}"

    def _targets(self, seqs: Sequences) -> npt.NDArray[Any]:
        found = labelled(seqs, self.schema.target)
        self.outputs.check(found, self.schema.target)
        return self.outputs.encoded(found.field(self.schema.target).values)


def _warn_of_constant(targets: npt.NDArray[Any], names: tuple[str, ...]) -> None:
    if targets.ndim == 1:
        return
    constant = [repr(name) for name, values in zip(names, targets.T, strict=True) if (values == values[0]).all()]
    if constant:
        more = ", ..." if len(constant) > MAX_NAMES_SHOWN else ""
        warnings.warn(
            f"all training sequences say the same of {', '.join(constant[:MAX_NAMES_SHOWN])}{more}, so the model learns "
            f"nothing else there.",
            stacklevel=4,
        )


def _parts(seqs: Sequences, settings: Settings, labels: npt.NDArray[Any]) -> dict[str, Ints]:
    parts = parts_of(seqs, settings, labels)
    for part, fraction in missing_parts(settings, parts):
        raise DataError(
            f"no class has enough sequences for a {part} part of {fraction:.0%}: there are {len(seqs)} sequences of "
            f"{len(np.unique(labels))} classes. Is {settings.target!r} the right target? Else give a larger "
            f"{part}_fraction, or 0 for none."
        )
    return parts
