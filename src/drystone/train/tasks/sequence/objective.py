"""What is minimised over sequences, and what is said of them where no target is known."""

from typing import Any

import numpy.typing as npt
from torch import nn

from drystone.torch.batch import TensorBatch
from drystone.train.loop.objective import Outcome, on_device
from drystone.train.tasks.outputs.loss import Loss
from drystone.train.tasks.sequence.model import SequenceModel


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
        assert isinstance(model, SequenceModel)
        outputs = model(batch)
        on_host = self._targets[batch.host.ends.sequence]
        targets = on_device(on_host, batch)
        loss, weight = self._loss.sums(outputs, model.to_learn(targets), lambda: on_host)
        return Outcome(loss=loss, weight=weight, predictions=model.readable(outputs), targets=targets)


def answers_only(model: nn.Module, batch: TensorBatch, _state: Any) -> Outcome:
    """Predicts, where no target is known."""
    assert isinstance(model, SequenceModel)
    found = model.readable(model(batch))
    return Outcome(loss=found.new_zeros(()), weight=0.0, predictions=found)
