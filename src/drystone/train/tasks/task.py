"""What a task is: everything about a run that depends on what its model is trained to do."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy.typing as npt
import pyarrow as pa
import torch
from torch import nn
from torchmetrics import Metric

from drystone.core.errors import ConfigError
from drystone.core.sequences import Sequences
from drystone.plots.figure import Picture
from drystone.train.loop.evaluator import Evaluator
from drystone.train.loop.objective import Objective
from drystone.train.loop.totals import takes_places
from drystone.train.model import RunModel
from drystone.train.ranks.metrics import counting_alone
from drystone.train.schema import Schema
from drystone.train.settings import NEED_VALIDATION, Settings
from drystone.train.split import Ints, Split, by_column
from drystone.train.tasks.about import About
from drystone.train.truncation import Truncated


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Figures over some sequences; each task has more.

    Args:
        sequences: how many.
        loss: Σ weighted loss ÷ Σ weight.
        baselines: the figures of trivial predictions, by their names: see `Task.baselines`.
        unknown_words: the share of words that training did not see, 0 to 1; None where the model reads no text.
        truncated: what the model did not read of longer sequences; None where the run has no `max_steps`.
    """

    sequences: int
    loss: float
    baselines: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    unknown_words: float | None = None
    truncated: Truncated | None = None


class Task(ABC):
    """What the model of a run is trained to do.

    A new one is a folder with a subclass of this, entered in `find.KINDS`, and its `About`, entered in `known.TASKS`.

    Args:
        settings: of the run, filled in for the task.
        schema: what the model takes and predicts.
    """

    about: ClassVar[About]

    def __init__(self, settings: Settings, schema: Schema) -> None:
        self.settings = settings
        self.schema = schema

    @classmethod
    @abstractmethod
    def check_target(cls, seqs: Sequences, target: str) -> None:
        """Raises DataError where a field is not of the kind that can be a target."""

    @classmethod
    def filled_in(cls, seqs: Sequences, settings: Settings) -> Settings:  # noqa: ARG003
        """Returns the settings with what depends on the kind of target; `check_target` has proved it."""
        return settings

    @classmethod
    @abstractmethod
    def split(cls, seqs: Sequences, settings: Settings) -> Split:
        """Proves that the targets serve, and draws the parts.

        Raises:
            DataError, ConfigError: they do not serve; the message names the place or the setting.
        """

    @classmethod
    @abstractmethod
    def schema_of(cls, seqs: Sequences, settings: Settings, split: Split) -> Schema:
        """Chooses the features, and finds out from the training part what the outputs stand for.

        Args:
            seqs: all sequences.
            settings: of the run.
            split: what `split` returned.

        Raises:
            DataError, ConfigError: as `split`.
        """

    @property
    def context(self) -> Literal["before"] | int:
        """How many steps before a part warm up the state: see `Sequences.split_by_time`."""
        return self.settings.context or "before"

    @abstractmethod
    def new_model(self) -> RunModel:
        """Returns a model with new weights."""

    def fit_statistics(self, model: RunModel, seqs: Sequences) -> None:
        """Sets what the model scales with, from the training part."""
        model.set_statistics(*self.schema.features.statistics(seqs))

    def fields(self, seqs: Sequences) -> tuple[str, ...]:
        """Returns the fields that batches hold of what `to_train_on` returned."""
        return self.schema.features.batch_fields

    def to_train_on(self, seqs: Sequences) -> Sequences:
        """Returns what is laid out in training: the training part, or a view of it."""
        return seqs

    @abstractmethod
    def objective(self, seqs: Sequences) -> Objective:
        """Returns what is minimised, over what `to_train_on` returned."""

    @abstractmethod
    def metrics(self) -> dict[str, Metric]:
        """Returns the figures beside the loss."""

    @abstractmethod
    def evaluator(
        self, seqs: Sequences, device: torch.device, between: Callable[[], object] | None = None
    ) -> Evaluator:
        """Returns what measures a model on sequences with targets; no figure depends on their layout.

        Args:
            seqs: the sequences; of a part, with what came before it.
            device: of the model.
            between: called between batches; may raise to end the evaluation.

        Raises:
            DataError: a target is missing, or cannot be used.
        """

    @abstractmethod
    def scores(self, seqs: Sequences, figures: Mapping[str, float]) -> Scores:
        """Returns the figures of an evaluation as a record, in the order in which they are shown."""

    @abstractmethod
    def baselines(self, seqs: Sequences) -> dict[str, dict[str, float]]:
        """Returns the figures of predictions that anyone could make, by their names, where `evaluator` would score.

        They know the training part only, so that a model which learned nothing is no better: a model should be.

        Args:
            seqs: as `evaluator` takes them.

        Raises:
            DataError: as `evaluator`.
        """

    def measured(
        self, predictions: torch.Tensor, targets: torch.Tensor, places: torch.Tensor | None = None
    ) -> dict[str, float]:
        """Returns the figures of some predictions, but for the loss.

        Args:
            predictions: as an `Outcome` has them.
            targets: as an `Outcome` has them.
            places: [rows, 2] the sequence and the step of each, where metrics ask for them.
        """
        found = {name: counting_alone(metric).set_dtype(torch.float64) for name, metric in self.metrics().items()}
        for metric in found.values():
            metric.update(predictions, targets, *((places,) if takes_places(metric) else ()))
        return {name: float(metric.compute()) for name, metric in found.items()}

    @abstractmethod
    def predict(self, model: nn.Module, seqs: Sequences) -> pa.Table:
        """Returns the predictions, in the order of the sequences.

        Raises:
            DataError: a sequence is so far from the training data that the model overflows; the message names it.
        """

    def pictures(
        self, model: nn.Module, seqs: Sequences, title: str, between: Callable[[], object] | None = None
    ) -> dict[str, Picture]:
        """Returns pictures of what the model says of sequences with targets, by the names of their files.

        Args:
            model: that was trained.
            seqs: as `evaluator` takes them.
            title: what they are, and how good the predictions are.
            between: as `evaluator` takes it.

        Raises:
            DataError: as `evaluator`.
        """
        return {}

    @property
    @abstractmethod
    def output_names(self) -> tuple[str, ...]:
        """What each number of an output of `RunModel.advance` is called."""

    def columns(self, outputs: npt.NDArray[Any]) -> dict[str, list[Any]]:
        """Returns outputs of `RunModel.advance`, [steps, outputs], as the columns that `predict` has for them."""
        return {name: values.tolist() for name, values in zip(self.output_names, outputs.T, strict=True)}

    @abstractmethod
    def __str__(self) -> str:
        """What is learned, in words, such as "'speaker' in 9 classes"."""

    def in_words(self, scores: Mapping[str, Any]) -> list[str]:
        """Returns figures as lines, such as "accuracy 0.981  (majority class: 0.111)", the one that a run is known by first."""
        return [
            self.about.write(name, scores[name]) + self._beside(name, scores.get("baselines", {}))
            for name in self.about.figures
            if scores.get(name) is not None
        ]

    def _beside(self, name: str, baselines: Mapping[str, Mapping[str, float]]) -> str:
        form = self.about.figures[name].form
        found = [f"{baseline}: {figures[name]:{form}}" for baseline, figures in baselines.items() if name in figures]
        return f"  ({', '.join(found)})" if found else ""


def id_column(seqs: Sequences, taken: Collection[str]) -> dict[str, pa.Array]:
    """Returns the ids of the sequences, where they have any, under a name that no other column of a table has."""
    if seqs.sequence_id is None:
        return {}
    name = seqs.sequence_id if seqs.sequence_id not in taken else f"{seqs.sequence_id}_id"
    return {name: seqs.field(seqs.sequence_id).to_arrow()}


def stated_parts(seqs: Sequences, settings: Settings) -> dict[str, Ints]:
    """Returns the parts that a field states: `split_column`, or that of the files.

    Raises:
        ConfigError: it states a validation part, and a share is asked for too.
        DataError: as `by_column`.
    """
    assert settings.part_field is not None
    parts = by_column(seqs, settings.part_field)
    if settings.valid_fraction and len(parts["valid"]):
        raise ConfigError(f"{settings.split_column!r} states a validation part; leave out valid_fraction.")
    return parts


def check_validation(settings: Settings, parts: Mapping[str, Ints], remedy: str) -> None:
    """Raises ConfigError where a setting needs a validation part, and none is stated or drawn; with what to do."""
    for name in NEED_VALIDATION:
        if getattr(settings, name) is not None and not len(parts["valid"]):
            raise ConfigError(
                f'{name} needs a validation part, and no sequence has "valid" in {settings.split_column!r}; {remedy}.'
            )
