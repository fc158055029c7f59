"""What a tagger is trained on, and what it says where no target is known."""

from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from drystone.torch.batch import TensorBatch
from drystone.train.loop.objective import Outcome, on_device
from drystone.train.tasks.outputs.loss import Loss
from drystone.train.tasks.tag.model import Tagger


class StepLosses:
    """The losses of scored steps.

    Args:
        targets: the field of encoded targets.
        loss: of a step.
    """

    def __init__(self, targets: str, loss: Loss) -> None:
        self._targets = targets
        self._loss = loss

    def __call__(self, model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        assert isinstance(model, Tagger)
        scored = np.flatnonzero(batch.host.scored)
        cells, shape = on_device(scored, batch), (len(scored), *model.outputs.target_shape)
        outputs, state = model(batch, state, cells)
        targets = batch[self._targets].flatten(0, 1).index_select(0, cells).reshape(shape)

        def on_host() -> npt.NDArray[Any]:
            every = batch.host[self._targets]
            return every.reshape(-1, *every.shape[2:])[scored].reshape(shape)

        loss, weight = self._loss.sums(outputs, model.to_learn(targets), on_host)
        said = model.readable(outputs)
        return Outcome(loss=loss, weight=weight, predictions=said, targets=targets, cells=scored, state=state)


def outputs_only(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
    """What is said at all steps, span after span, where no target is known."""
    assert isinstance(model, Tagger)
    outputs, state = model(batch, state, on_device(batch.grid.cells, batch))
    return Outcome(loss=outputs.new_zeros(()), weight=0.0, predictions=model.readable(outputs), state=state)
