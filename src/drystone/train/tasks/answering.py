"""What tasks share whose model gives answers of a kind of `Outputs`, whether of a sequence or of a step."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar

import numpy.typing as npt
import torch
from torch import Tensor
from torchmetrics import Metric

from drystone.core.sequences import Sequences
from drystone.train.features.numbers import mean_and_spread
from drystone.train.model import ModelSpec, RunModel
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.tasks.outputs.kinds import from_plain
from drystone.train.tasks.outputs.outputs import Outputs
from drystone.train.tasks.scaled import ScaledTargets
from drystone.train.tasks.task import Scores, Task


class AnsweringModel(RunModel, ScaledTargets):
    """A model whose head gives the numbers of some outputs; of those that are scaled it holds statistics of the targets.

    Args:
        spec: what its shape depends on.
        outputs: what the numbers stand for.
        vectors: how many outputs of the LSTM lie side by side before the head.
    """

    def __init__(self, spec: ModelSpec, outputs: Outputs, vectors: int = 1) -> None:
        super().__init__(spec, vectors)
        self.outputs = outputs
        if outputs.is_scaled:
            self.hold_target_statistics(outputs.num_outputs)

    def to_learn(self, targets: Tensor) -> Tensor:
        """Returns encoded targets as `Outputs.losses` takes them."""
        return self.standardised_targets(targets) if self.outputs.is_scaled else targets

    def readable(self, outputs: Tensor) -> Tensor:
        """Returns outputs of the head as probabilities, or as numbers in the units of the target, in float64."""
        return self.outputs.readable(self.in_units(outputs) if self.outputs.is_scaled else outputs.double())


class AnsweringTask(Task):
    """A task whose schema says which outputs its model has."""

    scores_type: ClassVar[type[Scores]]
    """The record of its figures: those that a kind of output does not have are left out."""

    def __init__(self, settings: Settings, schema: Schema) -> None:
        super().__init__(settings, schema)
        self.outputs: Outputs = from_plain(schema.outputs)

    @abstractmethod
    def targets_of(self, seqs: Sequences) -> npt.NDArray[Any]:
        """Returns the encoded targets of all items that are scored, [items, *target_shape].

        Raises:
            DataError: one is missing, or cannot be measured against.
        """

    def places_of(self, seqs: Sequences) -> Tensor | None:
        """Returns the sequence and the step of each item that is scored, [items, 2], where items are steps."""
        return None

    @classmethod
    @abstractmethod
    def with_items(cls, seqs: Sequences, target: str) -> Sequences:
        """Returns the sequences with a value of the target an item; raises DataError where it does not serve."""

    def fit_statistics(self, model: RunModel, seqs: Sequences) -> None:
        """Sets what the model scales features with, and targets that are numbers."""
        assert isinstance(model, AnsweringModel)
        super().fit_statistics(model, seqs)
        if self.outputs.is_scaled:
            target = self.schema.target
            model.set_target_statistics(*mean_and_spread(self.with_items(seqs, target), target))

    def metrics(self) -> dict[str, Metric]:
        """Returns the figures of this kind of output that the task tells of."""
        return {name: metric for name, metric in self.outputs.metrics().items() if name in self.about.figures}

    def scores(self, seqs: Sequences, figures: Mapping[str, float]) -> Scores:
        """Returns the loss and the figures of this kind of output."""
        known = {field.name for field in fields(self.scores_type)}
        named: dict[str, Any] = {name: figure for name, figure in figures.items() if name in known}
        return self.scores_type(**named | self.counts(seqs))

    def counts(self, seqs: Sequences) -> dict[str, Any]:
        """Returns what stands beside the figures: how many sequences there are, and other such counts."""
        return {"sequences": len(seqs)}

    def baselines(self, seqs: Sequences) -> dict[str, dict[str, float]]:
        """Returns the figures of saying the same of every item: what the training part says most, or on average."""
        targets = torch.from_numpy(self.targets_of(seqs))
        said = torch.tensor(self.schema.baselines[self.outputs.baseline], dtype=torch.float64).repeat(len(targets), 1)
        figures = self.measured(self.outputs.readable(said), targets, self.places_of(seqs))
        if not self.outputs.is_scaled:
            figures["loss"] = float(self.outputs.losses(said, targets).sum(dim=1).mean())
        return {self.outputs.baseline: figures}

    @property
    def output_names(self) -> tuple[str, ...]:
        """p_CLASS for every class, p_NAME for every label or answer, or the names of numbers."""
        return self.outputs.names(self.schema.target)

    def columns(self, outputs: npt.NDArray[Any]) -> dict[str, list[Any]]:
        """Returns `prediction`; of classes its `probability` and p_CLASS for every class, of yes/no p_NAME for every answer."""
        return self.outputs.columns(self.schema.target, outputs)
