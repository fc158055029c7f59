"""Joint, as a run knows it: what `Classify` and `Tag` do, by one model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import nn
from torchmetrics import Metric

from drystone.core.errors import DataError
from drystone.core.lengths import offsets_of, ranges
from drystone.core.sequences import Sequences
from drystone.plots.figure import Picture
from drystone.train.features.choose import choose_features
from drystone.train.loaders import prediction_loader
from drystone.train.loop.evaluator import Evaluator, device_of_model
from drystone.train.model import ModelSpec
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.split import Split
from drystone.train.tasks.classify.task import Classify
from drystone.train.tasks.joint.about import JOINT, step_figure
from drystone.train.tasks.joint.chosen import Chosen, Columns
from drystone.train.tasks.joint.model import JointModel
from drystone.train.tasks.joint.objective import JointLosses, places_of_ends, said_only
from drystone.train.tasks.joint.targets import Targets
from drystone.train.tasks.outputs.loss import Loss
from drystone.train.tasks.outputs.numbers import Numbers
from drystone.train.tasks.overflow import check_no_overflow
from drystone.train.tasks.pictures import pictures_of
from drystone.train.tasks.tag.task import Tag
from drystone.train.tasks.task import Scores, Task, id_column

LABEL, TAG = "label", "tag"
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class JointScores(Scores):
    """Figures of labels, and of the tags of all steps; those of other kinds of output are None.

    Args:
        loss: mean over sequences: the negative log-likelihood of the label and of all tags together.
        steps: how many were scored.
        accuracy, f1, micro_f1: of labels, as of `ClassScores`.
        chunk_f1: of BIO tags: the F1 of all chunks, counted as the CoNLL script counts them.
        tag_accuracy, tag_f1, tag_micro_f1, tag_frame_accuracy: of tags, as of `TagScores`.
    """

    steps: int
    accuracy: float
    f1: float
    micro_f1: float | None = None
    chunk_f1: float | None = None
    tag_accuracy: float | None = None
    tag_f1: float | None = None
    tag_micro_f1: float | None = None
    tag_frame_accuracy: float | None = None


class Joint(Task):
    """A class, or several labels, of each sequence, and a class, or several yes/no, at every step."""

    about = JOINT

    def __init__(self, settings: Settings, schema: Schema) -> None:
        super().__init__(settings, schema)
        self._of_sequences = Classify(*_part(settings, schema, LABEL))
        self._of_steps = Tag(*_part(settings, schema, TAG))

    @classmethod
    def check_target(cls, seqs: Sequences, target: str) -> None:
        """Proves that one field is a label of each sequence, and the other a tag of each step."""
        targets = Targets.of(seqs, target)
        Classify.check_target(seqs, targets.label)
        Tag.check_target(seqs, targets.tag)

    @classmethod
    def split(cls, seqs: Sequences, settings: Settings) -> Split:
        """Draws parts in which each label has its share."""
        return Classify.split(seqs, _with_target(settings, Targets.of(seqs, settings.target).label))

    @classmethod
    def schema_of(cls, seqs: Sequences, settings: Settings, split: Split) -> Schema:
        """Proves that either target serves, and puts their outputs side by side."""
        targets = Targets.of(seqs, settings.target)
        features = choose_features(seqs, settings.wishes, split.sequences(seqs, "train"), settings.target)
        names = tuple(field.source for field in features.fields if field.kind != "calendar")
        chosen = settings.model_copy(update={"features": tuple(dict.fromkeys(names))})
        found = {
            LABEL: Classify.schema_of(seqs, _with_target(chosen, targets.label), split),
            TAG: Tag.schema_of(seqs, _with_target(chosen, targets.tag), split),
        }
        task_of_steps = Tag(*(_with_target(settings, targets.tag), found[TAG]))
        if isinstance(task_of_steps.outputs, Numbers):
            raise DataError(
                f"target {targets.tag!r} is {seqs.field(targets.tag).describe()} a step; the task joint learns classes or "
                f"yes/no. task='tag' learns numbers."
            )
        outputs = {name: {"target": schema.target, "outputs": dict(schema.outputs)} for name, schema in found.items()}
        baselines = {name: dict(schema.baselines) for name, schema in found.items()}
        return Schema.of(seqs, features, settings.target, outputs, baselines)

    def new_model(self) -> JointModel:
        """Returns a joint model."""
        sequences, steps = self._of_sequences.outputs, self._of_steps.outputs
        return JointModel(ModelSpec(self.schema.features, steps.num_outputs, self.settings), sequences, steps)

    def fields(self, seqs: Sequences) -> tuple[str, ...]:
        """Returns the features, and the encoded tags."""
        return self._of_steps.fields(seqs)

    def to_train_on(self, seqs: Sequences) -> Sequences:
        """Returns the training part with encoded tags."""
        return self._of_steps.to_train_on(seqs)

    def objective(self, seqs: Sequences) -> JointLosses:
        """Returns the losses of labels and tags, smoothed if that is asked for."""
        smoothing = self.settings.label_smoothing or 0.0
        return self._losses(seqs, smoothing)

    def metrics(self) -> dict[str, Metric]:
        """Returns the figures of labels, and of tags under names of their own."""
        of_labels, of_tags = self._columns
        sequences, steps = self._of_sequences, self._of_steps
        found = {
            name: Chosen(metric, of_labels, is_flat=not sequences.outputs.target_shape)
            for name, metric in sequences.metrics().items()
        }
        more = {
            step_figure(name): Chosen(metric, of_tags, is_flat=not steps.outputs.target_shape)
            for name, metric in steps.metrics().items()
        }
        return {name: (found | more)[name] for name in self.about.figures if name in found | more}

    def evaluator(
        self, seqs: Sequences, device: torch.device, between: Callable[[], object] | None = None
    ) -> Evaluator:
        """Returns what measures a joint model, by labels and tags as they are."""
        self._of_steps.check_targets(seqs)
        found = self.to_train_on(seqs)
        loader = prediction_loader(found, self.fields(found), device)
        return Evaluator(self._losses(found, 0.0), loader, self.metrics(), between=between)

    def scores(self, seqs: Sequences, figures: Mapping[str, float]) -> JointScores:
        """Returns the loss and the figures of these kinds of output."""
        named: dict[str, Any] = {name: figures[name] for name in ("loss", *self.metrics())}
        return JointScores(sequences=len(seqs), steps=seqs.num_steps, **named)

    def baselines(self, seqs: Sequences) -> dict[str, dict[str, float]]:
        """Returns the figures of saying the same of every sequence, and at every step: what the training part says most."""
        found: dict[str, dict[str, float]] = {}
        for name, figures in self._of_sequences.baselines(seqs).items():
            found[name] = {figure: value for figure, value in figures.items() if figure != "loss"}
        for name, figures in self._of_steps.baselines(seqs).items():
            more = {step_figure(figure): value for figure, value in figures.items() if figure != "loss"}
            found[name] = found.get(name, {}) | more
        return found

    def predict(self, model: nn.Module, seqs: Sequences) -> pa.Table:
        """Returns one row a sequence: `sequence`, its id, what `Classify` says, and the list of its tags, named as in training."""
        loader = prediction_loader(seqs, self.schema.features.batch_fields, device_of_model(model))
        labels = np.zeros((len(seqs), self._of_sequences.outputs.num_outputs))
        tags = np.zeros((seqs.num_steps, self._of_steps.outputs.num_outputs))
        offsets, (of_labels, of_tags) = offsets_of(seqs.lengths), self._columns
        for batch, outcome in Evaluator(said_only, loader).outcomes(model):
            assert outcome.predictions is not None
            said = outcome.predictions.cpu().numpy()
            labels[batch.host.ends.sequence] = said[places_of_ends(batch), of_labels.said]
            tags[ranges(offsets[batch.spans.sequence] + batch.spans.offset, batch.spans.length)] = said[:, of_tags.said]
        check_no_overflow(tags, seqs, per_step=True)
        columns = self._of_sequences.columns(labels)
        name = self._of_steps.schema.target
        of_sequences = id_column(seqs, ("sequence", *columns, name))
        table = self._of_sequences.outputs.table({"sequence": np.arange(len(seqs))} | of_sequences, columns)
        values = pa.array(self._of_steps.columns(tags)["prediction"])
        return table.append_column(name, pa.LargeListArray.from_arrays(pa.array(offsets), values))

    def pictures(
        self, model: nn.Module, seqs: Sequences, title: str, between: Callable[[], object] | None = None
    ) -> dict[str, Picture]:
        """Returns the confusion matrix of labels; of several labels nothing."""
        of_labels, _ = self._columns

        def pairs() -> Any:
            for _, outcome in self.evaluator(seqs, device_of_model(model), between).outcomes(model):
                assert outcome.predictions is not None
                assert outcome.targets is not None
                true = outcome.targets[:, of_labels.true].cpu().numpy()
                there = true[:, 0] >= 0
                yield outcome.predictions.cpu().numpy()[there, of_labels.said], true[there, 0].astype(np.float64)

        of_sequences = self._of_sequences
        return pictures_of(of_sequences.outputs, pairs(), of_sequences.schema.target, len(seqs), "sequences", title)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Those of labels, then those of tags."""
        return (*self._of_sequences.output_names, *self._of_steps.output_names)

    def columns(self, outputs: npt.NDArray[Any]) -> dict[str, list[Any]]:
        """Returns what `Classify` says if the sequence ended at each step, and the tag of the step."""
        of_labels, of_tags = self._columns
        tags = self._of_steps.columns(outputs[:, of_tags.said])["prediction"]
        return self._of_sequences.columns(outputs[:, of_labels.said]) | {self._of_steps.schema.target: tags}

    def __str__(self) -> str:
        return f"{self._of_sequences}, {self._of_steps}"

    @property
    def _columns(self) -> tuple[Columns, Columns]:
        """Of labels and of tags, in predictions and targets of `JointLosses`."""
        labels, tags = self._of_sequences.outputs, self._of_steps.outputs
        num_tags = int(np.prod(tags.target_shape, dtype=int))
        num_labels = int(np.prod(labels.target_shape, dtype=int))
        return (
            Columns(said=slice(0, labels.num_outputs), true=slice(num_tags, num_tags + num_labels)),
            Columns(said=slice(labels.num_outputs, None), true=slice(0, num_tags)),
        )

    def _losses(self, seqs: Sequences, smoothing: float) -> JointLosses:
        of_sequences, of_steps = (
            Loss(outputs=task.outputs, label_smoothing=smoothing) for task in (self._of_sequences, self._of_steps)
        )
        return JointLosses(self._of_sequences.targets_of(seqs), self.fields(seqs)[-1], of_sequences, of_steps)


def _with_target(settings: Settings, target: str) -> Settings:
    return settings.model_copy(update={"target": target})


def _part(settings: Settings, schema: Schema, name: str) -> tuple[Settings, Schema]:
    """Returns settings and schema of one of the two tasks."""
    own = schema.outputs[name]
    part = replace(schema, target=own["target"], outputs=own["outputs"], baselines=schema.baselines[name])
    return _with_target(settings, own["target"]), part
