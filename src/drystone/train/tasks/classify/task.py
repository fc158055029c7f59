"""Classify, as a run knows it."""

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
from drystone.train.features.choose import choose_features
from drystone.train.loaders import prediction_loader
from drystone.train.loop.evaluator import Evaluator, device_of_model
from drystone.train.model import ModelSpec
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.split import Ints, Split
from drystone.train.tasks.classify.about import CLASSIFY
from drystone.train.tasks.classify.labels import classes_of, codes_of, label_field, labels_of
from drystone.train.tasks.classify.model import SequenceClassifier
from drystone.train.tasks.classify.objective import CrossEntropy, logits_only, metrics
from drystone.train.tasks.drawn import missing_parts, parts_of
from drystone.train.tasks.task import Scores, Task, id_column

MAJORITY = "majority class"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScores(Scores):
    """Figures of a classifier.

    Args:
        accuracy: the share of sequences whose class is the most probable one.
    """

    accuracy: float


class Classify(Task):
    """One class a sequence."""

    about = CLASSIFY

    @classmethod
    def check_target(cls, seqs: Sequences, target: str) -> None:
        """Proves that the target is one value a sequence."""
        label_field(seqs, target)

    @classmethod
    def split(cls, seqs: Sequences, settings: Settings) -> Split:
        """Proves that every sequence has a class, and draws parts in which each has its share."""
        return Split.of_wholes(seqs.lengths, _parts(seqs, settings, labels_of(seqs, settings.target)))

    @classmethod
    def schema_of(cls, seqs: Sequences, settings: Settings, split: Split) -> Schema:
        """Proves that training sees the class of every sequence."""
        labels = labels_of(seqs, settings.target)
        classes = classes_of(labels[split.train])
        codes = codes_of(labels, classes, seqs, settings.target)
        majority = classes[np.bincount(codes[split.train]).argmax()]
        features = choose_features(seqs, settings.wishes, split.sequences(seqs, "train"), settings.target)
        return Schema.of(seqs, features, settings.target, {"classes": classes}, {MAJORITY: majority})

    @property
    def classes(self) -> list[Any]:
        """The classes, in the order of the outputs."""
        return self.schema.outputs["classes"]

    def new_model(self) -> SequenceClassifier:
        """Returns a classifier."""
        return SequenceClassifier(ModelSpec(self.schema.features, len(self.classes), self.settings))

    def objective(self, seqs: Sequences) -> CrossEntropy:
        """Returns the cross-entropy, with smoothed labels."""
        return CrossEntropy(self._codes(seqs), self.settings.label_smoothing or 0.0)

    def metrics(self) -> dict[str, Metric]:
        """Returns the accuracy."""
        return metrics(len(self.classes))

    def evaluator(
        self, seqs: Sequences, device: torch.device, between: Callable[[], object] | None = None
    ) -> Evaluator:
        """Returns what measures a classifier, by the labels as they are."""
        loader = prediction_loader(seqs, self.fields(seqs), device)
        return Evaluator(CrossEntropy(self._codes(seqs)), loader, self.metrics(), between=between)

    def scores(self, seqs: Sequences, figures: Mapping[str, float]) -> ClassScores:
        """Returns loss and accuracy."""
        return ClassScores(sequences=len(seqs), loss=figures["loss"], accuracy=figures["accuracy"])

    def baselines(self, seqs: Sequences) -> dict[str, dict[str, float]]:
        """Returns the figures of saying the majority class of the training part of every sequence."""
        codes = torch.from_numpy(self._codes(seqs))
        majority = self.classes.index(self.schema.baselines[MAJORITY])
        return {MAJORITY: self.measured(torch.full_like(codes, majority), codes)}

    def predict(self, model: nn.Module, seqs: Sequences) -> pa.Table:
        """Returns one row a sequence: `sequence`, its id, `prediction`, its `probability`, and `p_CLASS` for every class."""
        loader = prediction_loader(seqs, self.fields(seqs), device_of_model(model))
        logs = np.zeros((len(seqs), len(self.classes)))
        for batch, outcome in Evaluator(logits_only, loader).outcomes(model):
            assert outcome.predictions is not None
            logs[batch.host.ends.sequence] = outcome.predictions.cpu().double().log_softmax(dim=1).numpy()
        broken = np.isnan(logs).any(axis=1)
        if broken.any():
            raise DataError(
                f"{seqs.place(int(np.argmax(broken)))} holds numbers so far from the training data that the model overflows."
            )
        return self._table(seqs, np.exp(logs))

    @property
    def output_names(self) -> tuple[str, ...]:
        """p_CLASS for every class."""
        return tuple(f"p_{name}" for name in self.classes)

    def columns(self, outputs: npt.NDArray[Any]) -> dict[str, list[Any]]:
        """Returns `prediction`, its `probability`, and p_CLASS for every class."""
        prediction = [self.classes[number] for number in outputs.argmax(axis=1).tolist()]
        return {"prediction": prediction, "probability": outputs.max(axis=1).tolist(), **super().columns(outputs)}

    def __str__(self) -> str:
        return f"{self.schema.target!r} in {len(self.classes)} classes"

    def _codes(self, seqs: Sequences) -> npt.NDArray[np.int64]:
        return codes_of(labels_of(seqs, self.schema.target), self.classes, seqs, self.schema.target)

    def _table(self, seqs: Sequences, probabilities: npt.NDArray[np.float64]) -> pa.Table:
        columns: dict[str, Any] = {"sequence": np.arange(len(seqs))}
        columns |= id_column(seqs, ("sequence", "prediction", "probability", *self.output_names))
        return pa.table(columns | self.columns(probabilities))


def _parts(seqs: Sequences, settings: Settings, labels: npt.NDArray[Any]) -> dict[str, Ints]:
    parts = parts_of(seqs, settings, labels)
    for part, fraction in missing_parts(settings, parts):
        raise DataError(
            f"no class has enough sequences for a {part} part of {fraction:.0%}: there are {len(seqs)} sequences of "
            f"{len(np.unique(labels))} classes. Is {settings.target!r} the right target? Else give a larger "
            f"{part}_fraction, or 0 for none."
        )
    return parts
