"""Tag, as a run knows it."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import nn

from drystone.core.column import Column
from drystone.core.errors import ConfigError, DataError
from drystone.core.free_name import free_name
from drystone.core.lengths import offsets_of, ranges
from drystone.core.loader import Loader
from drystone.core.sequences import Sequences
from drystone.core.words import so_many
from drystone.plots.figure import Picture
from drystone.train.bio import check_bio
from drystone.train.features.choose import choose_features
from drystone.train.layouts import carrying_layout
from drystone.train.loaders import loader_of, prediction_loader
from drystone.train.loop.evaluator import Evaluator, device_of_model
from drystone.train.model import ModelSpec
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.split import PARTS, Split
from drystone.train.tasks.answering import AnsweringTask
from drystone.train.tasks.drawn import split_of_steps
from drystone.train.tasks.outputs.classes import Classes
from drystone.train.tasks.outputs.kinds import to_plain
from drystone.train.tasks.outputs.loss import Loss
from drystone.train.tasks.outputs.outputs import Outputs
from drystone.train.tasks.overflow import check_no_overflow
from drystone.train.tasks.per_step import step_columns
from drystone.train.tasks.pictures import pairs_of, pictures_of
from drystone.train.tasks.tag.about import TAG
from drystone.train.tasks.tag.kinds import kind_for
from drystone.train.tasks.tag.model import Tagger
from drystone.train.tasks.tag.objective import StepLosses, outputs_only
from drystone.train.tasks.task import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class TagScores(Scores):
    """Figures over all scored steps; those of other kinds of output are None.

    Args:
        loss: mean over steps: of yes/no, the negative log-likelihood of a step.
        steps: how many were scored.
        accuracy: of classes: the share of steps whose class is the most probable one; of yes/no: whose answers are all right.
        chunk_f1: of BIO tags: the F1 of all chunks, counted as the CoNLL script counts them.
        frame_accuracy: of yes/no: Σ true yes ÷ Σ (true yes + false yes + false no).
        f1: the mean of the F1 of each class, or of each answer's yes.
        micro_f1: of yes/no: the F1 of all answers together.
        rmse, mae: of numbers, in their units.
        r2: of numbers: the share of the variance that is explained, mean over the numbers of a step.
    """

    steps: int
    accuracy: float | None = None
    chunk_f1: float | None = None
    frame_accuracy: float | None = None
    f1: float | None = None
    micro_f1: float | None = None
    rmse: float | None = None
    mae: float | None = None
    r2: float | None = None


class Tag(AnsweringTask):
    """Something at every step: what the target is there, or some steps later."""

    about = TAG
    scores_type = TagScores

    @classmethod
    def check_target(cls, seqs: Sequences, target: str) -> None:
        """Proves that the target has a value a step, of a kind that can be learned."""
        kind_for(seqs, target)

    @classmethod
    def split(cls, seqs: Sequences, settings: Settings) -> Split:
        """Draws parts: whole sequences, or times of a single one."""
        return split_of_steps(seqs, settings)

    @classmethod
    def schema_of(cls, seqs: Sequences, settings: Settings, split: Split) -> Schema:
        """Proves that the target is known at all steps, and that each part has steps to score."""
        target = settings.target
        outputs = kind_for(seqs, target).of(seqs, target)
        _check_bio(outputs, seqs, settings)
        is_input = settings.ahead is not None
        train = split.sequences(seqs, "train")
        features = choose_features(seqs, settings.wishes, train, target, target_is_input=is_input)
        encoded = outputs.encoded(train.field(target).values)
        baselines = {outputs.baseline: outputs.trivial(encoded).tolist()}
        schema = Schema.of(seqs, features, target, to_plain(outputs), baselines)
        task = cls(settings, schema)
        for part in PARTS:
            if len(split.part(part)):
                task.check_scored(split.sequences(seqs, part, "before"), f"the {part} part")
        task.objective(task.to_train_on(split.sequences(seqs, "train")))  # proves that its settings suit
        if isinstance(outputs, Classes):
            _warn_of_unseen(outputs, train, target)
        return schema

    def new_model(self) -> Tagger:
        """Returns a tagger."""
        return Tagger(ModelSpec(self.schema.features, self.outputs.num_outputs, self.settings), self.outputs)

    @classmethod
    def with_items(cls, seqs: Sequences, target: str) -> Sequences:
        """Proves that the target has a value a step."""
        kind_for(seqs, target)
        return seqs

    def targets_of(self, seqs: Sequences) -> npt.NDArray[Any]:
        """Returns the encoded targets of the scored steps."""
        return self._scored(self._with_targets(seqs))

    def places_of(self, seqs: Sequences) -> torch.Tensor:
        """Returns the sequence and the step of each scored step."""
        first, stop = self._with_targets(seqs).scored_steps()
        sequence = np.repeat(np.arange(len(seqs)), stop - first)
        return torch.from_numpy(np.stack([sequence, ranges(first, stop - first)], axis=1))

    def fields(self, seqs: Sequences) -> tuple[str, ...]:
        """Returns the features, and the encoded targets."""
        return (*self.schema.features.batch_fields, self._targets_in(seqs))

    def to_train_on(self, seqs: Sequences) -> Sequences:
        """Returns the training part with encoded targets."""
        return self._with_targets(seqs)

    def objective(self, seqs: Sequences) -> StepLosses:
        """Returns the losses of the steps, with smoothed and weighted targets."""
        return StepLosses(self._targets_in(seqs), Loss.in_training(self.outputs, self.settings, self._scored(seqs)))

    def evaluator(
        self, seqs: Sequences, device: torch.device, between: Callable[[], object] | None = None
    ) -> Evaluator:
        """Returns what measures a tagger at every step whose target is known."""
        self.check_targets(seqs)
        found = self._with_targets(seqs)
        loader = self._loader(found, self.fields(found), device)
        losses = StepLosses(self._targets_in(found), Loss(outputs=self.outputs))
        return Evaluator(losses, loader, self.metrics(), between=between)

    def check_targets(self, seqs: Sequences) -> None:
        """Raises DataError where a target cannot be measured against, or there is none."""
        kind_for(seqs, self.schema.target)
        self.outputs.check(seqs, self.schema.target)
        self.check_scored(seqs, "it")
        if self.settings.bio == "error":
            check_bio(seqs, self.schema.target, "error")

    def check_scored(self, seqs: Sequences, what: str) -> None:
        """Raises DataError where no step has a target in the same sequence, or part."""
        if self._num_scored(seqs) == 0:
            ahead = so_many(self.settings.ahead or 0, "step")
            raise DataError(
                f"ahead is {self.settings.ahead}, and {what} holds no step with {ahead} after it: the longest sequence has "
                f"{so_many(int(seqs.lengths.max()), 'step')}. Look less far ahead, or give more data."
            )

    def counts(self, seqs: Sequences) -> dict[str, Any]:
        """Returns how many sequences there are, and how many steps are scored."""
        return {**super().counts(seqs), "steps": self._num_scored(seqs)}

    def predict(self, model: nn.Module, seqs: Sequences) -> pa.Table:
        """Returns one row a step: `sequence`, its id, `step`, what orders the steps, its word; `prediction`; probabilities.

        BIO tags are left as the model says them, each the most probable one of its step, so that they may break BIO.
        """
        found = self._found(model, seqs)
        check_no_overflow(found, seqs, per_step=True)
        columns = self.columns(found)
        words = [feature.source for feature in self.schema.features.fields if feature.kind == "tokens"]
        beside = step_columns(seqs, (*columns, *words))
        beside |= {free_name(word, (*beside, *columns)): seqs.field(word).to_arrow().flatten() for word in words}
        return self.outputs.table(beside, columns)

    def pictures(
        self, model: nn.Module, seqs: Sequences, title: str, between: Callable[[], object] | None = None
    ) -> dict[str, Picture]:
        """Returns the confusion matrix of classes, or numbers against what is true; of yes/no nothing."""
        found = pairs_of(self.evaluator(seqs, device_of_model(model), between).outcomes(model))
        return pictures_of(self.outputs, found, self.schema.target, self._num_scored(seqs), "steps", title)

    def __str__(self) -> str:
        ahead = self.settings.ahead
        where = "at every step" if ahead is None else f"{so_many(ahead, 'step')} ahead, at every step"
        return f"{self.schema.target!r} {where}: {self.outputs}"

    def _with_targets(self, seqs: Sequences) -> Sequences:
        """Returns the sequences with encoded targets as their last field a step, or their last that looks ahead."""
        column = seqs.step_columns[self.schema.target]
        name = free_name(f"{self.schema.target} encoded", seqs.field_names)
        encoded = Column(self.outputs.encoded(column.slice(0, len(column))))
        found = replace(seqs, step_columns={**seqs.step_columns, name: encoded})
        if self.settings.ahead is None:
            return found
        return found.ahead(name, [self.settings.ahead], free_name(f"{self.schema.target} ahead", found.field_names))

    def _targets_in(self, seqs: Sequences) -> str:
        fields = seqs.step_columns if self.settings.ahead is None else seqs.ahead_fields
        return next(reversed(dict(fields)))

    def _scored(self, seqs: Sequences) -> npt.NDArray[Any]:
        """Returns [scored steps, *target_shape], of what `_with_targets` returned."""
        first, stop = seqs.scored_steps()
        at = ranges(offsets_of(seqs.lengths)[:-1] + first + (self.settings.ahead or 0), stop - first)
        return self.outputs.encoded(seqs.field(self.schema.target).values[at])

    def _num_scored(self, seqs: Sequences) -> int:
        first, stop = self._with_targets(seqs).scored_steps()
        return int((stop - first).sum())

    def _loader(self, seqs: Sequences, fields: tuple[str, ...], device: torch.device) -> Loader:
        if self.settings.bidirectional:
            return prediction_loader(seqs, fields, device)
        return loader_of(seqs, carrying_layout(seqs.lengths), fields, device)

    def _found(self, model: nn.Module, seqs: Sequences) -> npt.NDArray[np.float64]:
        """Returns [steps of all sequences, outputs]."""
        loader = self._loader(seqs, self.schema.features.batch_fields, device_of_model(model))
        offsets = offsets_of(seqs.lengths)
        result = np.zeros((seqs.num_steps, self.outputs.num_outputs))
        for batch, outcome in Evaluator(outputs_only, loader).outcomes(model):
            assert outcome.predictions is not None
            spans = batch.spans
            at = ranges(offsets[spans.sequence] + spans.offset, spans.length)
            result[at] = outcome.predictions.cpu().numpy()
        return result


def _check_bio(outputs: Outputs, seqs: Sequences, settings: Settings) -> None:
    assert settings.bio is not None
    if isinstance(outputs, Classes) and outputs.mark_chunks:
        check_bio(seqs, settings.target, settings.bio)
    elif settings.bio != "count":
        raise ConfigError(
            f"bio is {settings.bio!r}, and target {settings.target!r} holds no BIO tags: B-TYPE, I-TYPE and O. Leave it out."
        )


def _warn_of_unseen(outputs: Classes, train: Sequences, target: str) -> None:
    seen = np.unique(outputs.encoded(train.field(target).values))
    unseen = [name for number, name in enumerate(outputs.classes) if number not in seen]
    if unseen:
        warnings.warn(
            f"no step of the training part is {', '.join(map(repr, unseen))} in {target!r}, so the model learns to say it "
            f"nowhere.",
            stacklevel=4,
        )
