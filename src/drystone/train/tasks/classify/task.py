"""Classify, as a run knows it."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.train.features.choose import choose_features
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.split import Ints, Split
from drystone.train.tasks.classify.about import CLASSIFY, LABEL_SMOOTHING
from drystone.train.tasks.classify.labels import kind_for, label_field, labelled, strata_of
from drystone.train.tasks.drawn import missing_parts, parts_of
from drystone.train.tasks.number_names import number_names
from drystone.train.tasks.outputs.classes import Classes
from drystone.train.tasks.outputs.kinds import to_plain
from drystone.train.tasks.outputs.loss import Loss
from drystone.train.tasks.sequence.task import SequenceTask
from drystone.train.tasks.task import Scores

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


class Classify(SequenceTask):
    """One class a sequence, or several labels at once."""

    about = CLASSIFY
    scores_type = ClassScores

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

    @classmethod
    def with_items(cls, seqs: Sequences, target: str) -> Sequences:
        """Returns the sequences with their labels as a value a sequence."""
        return labelled(seqs, target)

    def __str__(self) -> str:
        between = " in" if isinstance(self.outputs, Classes) else ":"
        return f"{self.schema.target!r}{between} {self.outputs}"


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
