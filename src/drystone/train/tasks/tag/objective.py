"""What a tagger is trained on, and what it says where no target is known."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from drystone.torch.batch import TensorBatch
from drystone.train.loop.objective import Outcome
from drystone.train.tasks.tag.model import Tagger


class StepLosses:
    """The losses of scored steps, each of weight 1.

    Args:
        targets: the field of encoded targets.
    """

    def __init__(self, targets: str) -> None:
        self._targets = targets

    def __call__(self, model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        assert isinstance(model, Tagger)
        cells = _on_device(np.flatnonzero(batch.host.scored), batch)
        outputs, state = model(batch, state, cells)
        targets = batch[self._targets].flatten(0, 1).index_select(0, cells)
        targets = targets.reshape(len(cells), *model.outputs.target_shape)
        dtype = torch.promote_types(outputs.dtype, torch.float32)
        losses = model.outputs.losses(outputs.to(dtype), model.standardised_targets(targets))
        return Outcome(
            loss=losses.sum(),
            weight=len(cells),
            predictions=model.readable(outputs),
            targets=targets,
            state=state,
        )


def outputs_only(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
    """What is said at all steps, span after span, where no target is known."""
    assert isinstance(model, Tagger)
    outputs, state = model(batch, state, _on_device(batch.grid.cells, batch))
    return Outcome(loss=outputs.new_zeros(()), weight=0.0, predictions=model.readable(outputs), state=state)


def _on_device(cells: npt.NDArray[np.int64], batch: TensorBatch) -> Tensor:
    return torch.from_numpy(cells).to(batch.device, non_blocking=True)
