"""What a classifier is trained on, and what it says where no label is known."""

from typing import Any

import numpy.typing as npt
import torch
from torch import nn

from drystone.torch.batch import TensorBatch
from drystone.train.loop.objective import Outcome
from drystone.train.tasks.classify.model import SequenceClassifier
from drystone.train.tasks.outputs.loss import Loss


class SequenceLosses:
    """The losses of the sequences that end in a batch.

    Args:
        targets: of each sequence, encoded.
        loss: of a sequence.
    """

    def __init__(self, targets: npt.NDArray[Any], loss: Loss) -> None:
        self._targets = targets
        self._loss = loss

    def __call__(self, model: nn.Module, batch: TensorBatch, _state: Any) -> Outcome:
        assert isinstance(model, SequenceClassifier)
        logits = model(batch)
        on_host = self._targets[batch.host.ends.sequence]
        targets = torch.from_numpy(on_host).to(logits.device, non_blocking=True)
        loss, weight = self._loss.sums(logits, targets, lambda: on_host)
        return Outcome(loss=loss, weight=weight, predictions=model.said(logits), targets=targets)


def probabilities_only(model: nn.Module, batch: TensorBatch, _state: Any) -> Outcome:
    """Predicts, where no label is known."""
    assert isinstance(model, SequenceClassifier)
    said = model.said(model(batch))
    return Outcome(loss=said.new_zeros(()), weight=0.0, predictions=said)
