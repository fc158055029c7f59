"""What a regressor is trained on, and what it says where no target is known."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from drystone.torch.batch import TensorBatch
from drystone.train.loop.objective import Outcome
from drystone.train.tasks.regress.model import SequenceRegressor


class SquaredErrors:
    """Squared errors in units of the targets' standard deviation, mean over the numbers; each sequence has weight 1.

    Args:
        targets: [sequences, numbers] in their own units.
    """

    def __init__(self, targets: npt.NDArray[np.float64]) -> None:
        self._targets = torch.from_numpy(targets)

    def __call__(self, model: nn.Module, batch: TensorBatch, _state: Any) -> Outcome:
        assert isinstance(model, SequenceRegressor)
        outputs = model(batch)
        targets = self._targets[batch.host.ends.sequence].to(outputs.device, non_blocking=True)
        dtype = torch.promote_types(outputs.dtype, torch.float32)
        errors = outputs.to(dtype) - model.standardised_targets(targets).to(dtype)
        return Outcome(
            loss=errors.square().mean(dim=1).sum(),
            weight=len(targets),
            predictions=model.said(outputs),
            targets=targets,
        )


def numbers_only(model: nn.Module, batch: TensorBatch, _state: Any) -> Outcome:
    """Predicts, where no number is known."""
    assert isinstance(model, SequenceRegressor)
    said = model.said(model(batch))
    return Outcome(loss=said.new_zeros(()), weight=0.0, predictions=said)
