"""What a forecaster is trained on, and what it says where no target is known."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from drystone.torch.batch import TensorBatch
from drystone.train.loop.objective import Outcome
from drystone.train.tasks.forecast.model import Forecaster


class SquaredErrors:
    """Squared errors in units of the target's standard deviation, mean over the horizon; each scored step has weight 1.

    Args:
        targets: the field of the next values of the target at each step.
    """

    def __init__(self, targets: str) -> None:
        self._targets = targets

    def __call__(self, model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        assert isinstance(model, Forecaster)
        cells = _on_device(np.flatnonzero(batch.host.scored), batch)
        forecasts, state = model(batch, state, cells)
        targets = batch[self._targets].flatten(0, 1).index_select(0, cells)
        dtype = torch.promote_types(forecasts.dtype, torch.float32)
        errors = forecasts.to(dtype) - model.standardised_targets(targets).to(dtype)
        return Outcome(
            loss=errors.square().mean(dim=1).sum(),
            weight=len(cells),
            predictions=model.in_units(forecasts).flatten(),
            targets=targets.double().flatten(),
            state=state,
        )


class ForecastsOnly:
    """Forecasts where no target is known: at the last step of each sequence, or at all steps, span after span.

    Args:
        ends_only: whether only at the last ones.
    """

    def __init__(self, *, ends_only: bool) -> None:
        self._ends_only = ends_only

    def __call__(self, model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        assert isinstance(model, Forecaster)
        grid, ends = batch.grid, batch.grid.ends
        cells = ends.row * grid.num_steps + ends.step if self._ends_only else grid.cells
        forecasts, state = model(batch, state, _on_device(cells, batch))
        forecasts = model.in_units(forecasts)
        return Outcome(loss=forecasts.new_zeros(()), weight=0.0, predictions=forecasts, state=state)


class LastRepeated:
    """Says of all steps ahead what the target is now, without a model.

    Args:
        target: the field.
        targets: the field of its next values at each step.
    """

    def __init__(self, target: str, targets: str) -> None:
        self._target, self._targets = target, targets

    def __call__(self, _model: nn.Module, batch: TensorBatch, _state: Any) -> Outcome:
        cells = _on_device(np.flatnonzero(batch.host.scored), batch)
        last, targets = (batch[name].double().flatten(0, 1)[cells] for name in (self._target, self._targets))
        return Outcome(
            loss=targets.new_zeros(()),
            weight=len(cells),
            predictions=last[:, None].expand_as(targets).flatten(),
            targets=targets.flatten(),
        )


def _on_device(cells: npt.NDArray[np.int64], batch: TensorBatch) -> Tensor:
    return torch.from_numpy(cells).to(batch.device, non_blocking=True)
