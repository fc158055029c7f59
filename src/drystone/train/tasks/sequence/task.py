"""A task that says something of each sequence, as a run knows it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import nn

from drystone.core.sequences import Sequences
from drystone.plots.figure import Picture
from drystone.train.loaders import prediction_loader
from drystone.train.loop.evaluator import Evaluator, device_of_model
from drystone.train.model import ModelSpec
from drystone.train.tasks.answering import AnsweringTask
from drystone.train.tasks.outputs.loss import Loss
from drystone.train.tasks.overflow import check_no_overflow
from drystone.train.tasks.pictures import pairs_of, pictures_of
from drystone.train.tasks.sequence.model import SequenceModel
from drystone.train.tasks.sequence.objective import SequenceLosses, answers_only
from drystone.train.tasks.task import id_column


class SequenceTask(AnsweringTask):
    """An answer, or several, of each sequence."""

    def new_model(self) -> SequenceModel:
        """Returns a model of the outputs."""
        spec = ModelSpec(self.schema.features, self.outputs.num_outputs, self.settings)
        return SequenceModel(spec, self.outputs)

    def targets_of(self, seqs: Sequences) -> npt.NDArray[Any]:
        """Returns the encoded target of each sequence."""
        found = self.with_items(seqs, self.schema.target)
        self.outputs.check(found, self.schema.target)
        return self.outputs.encoded(found.field(self.schema.target).values)

    def objective(self, seqs: Sequences) -> SequenceLosses:
        """Returns the losses of the sequences, with smoothed and weighted targets."""
        targets = self.targets_of(seqs)
        return SequenceLosses(targets, Loss.in_training(self.outputs, self.settings, targets))

    def evaluator(
        self, seqs: Sequences, device: torch.device, between: Callable[[], object] | None = None
    ) -> Evaluator:
        """Returns what measures a model, by the targets as they are."""
        loader = prediction_loader(seqs, self.fields(seqs), device)
        losses = SequenceLosses(self.targets_of(seqs), Loss(outputs=self.outputs))
        return Evaluator(losses, loader, self.metrics(), between=between)

    def predict(self, model: nn.Module, seqs: Sequences) -> pa.Table:
        """Returns one row a sequence: `sequence`, its id, and what `columns` says."""
        loader = prediction_loader(seqs, self.fields(seqs), device_of_model(model))
        found = np.zeros((len(seqs), self.outputs.num_outputs))
        for batch, outcome in Evaluator(answers_only, loader).outcomes(model):
            assert outcome.predictions is not None
            found[batch.host.ends.sequence] = outcome.predictions.cpu().numpy()
        check_no_overflow(found, seqs, per_step=False)
        columns = self.columns(found)
        return self.outputs.table({"sequence": np.arange(len(seqs))} | id_column(seqs, ("sequence", *columns)), columns)

    def pictures(
        self, model: nn.Module, seqs: Sequences, title: str, between: Callable[[], object] | None = None
    ) -> dict[str, Picture]:
        """Returns the confusion matrix of classes, or numbers against what is true; of several labels nothing."""
        found = pairs_of(self.evaluator(seqs, device_of_model(model), between).outcomes(model))
        return pictures_of(self.outputs, found, self.schema.target, len(seqs), "sequences", title)
