"""What a forecaster is trained on, and what it says where no target is known."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from drystone.torch.batch import TensorBatch
from drystone.train.loop.objective import Outcome, on_device
from drystone.train.tasks.forecast.model import Forecaster
from drystone.train.tasks.forecast.naive import Naive

Ints = npt.NDArray[np.int64]


class SquaredErrors:
    """Squared errors in units of standard deviations of the target, mean over horizon and numbers; a scored step weighs 1.

    Args:
        targets: the field of the next values of the target at each step.
        base: what the model learns the difference to, or None.
    """

    def __init__(self, targets: str, base: Naive | None) -> None:
        self._targets, self._base = targets, base

    def __call__(self, model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        assert isinstance(model, Forecaster)
        cells = scored_cells(batch, self._targets)
        forecasts, state = model(batch, state, on_device(cells, batch))
        targets = _targets_at(batch, self._targets, cells)
        level = _level(model, self._base, batch, cells)
        dtype = torch.promote_types(forecasts.dtype, torch.float32)
        errors = forecasts.to(dtype) - model.standardised_targets(targets, level).to(dtype)
        return Outcome(
            loss=errors.square().mean(dim=(1, 2)).sum(),
            weight=len(cells),
            predictions=model.in_units(forecasts, level).flatten(0, 1),
            targets=targets.flatten(0, 1),
            state=state,
        )


class ForecastsOnly:
    """Forecasts where no target is known: at the last step of each sequence, or at all steps, span after span.

    Args:
        base: what the model learned the difference to, or None.
        ends_only: whether only at the last ones.
    """

    def __init__(self, base: Naive | None, *, ends_only: bool) -> None:
        self._base, self._ends_only = base, ends_only

    def __call__(self, model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        assert isinstance(model, Forecaster)
        grid, ends = batch.grid, batch.grid.ends
        cells = ends.row * grid.num_steps + ends.step if self._ends_only else grid.cells
        forecasts, state = model(batch, state, on_device(cells, batch))
        level = _level(model, self._base, batch, cells)
        forecasts = model.in_units(forecasts, level)
        return Outcome(loss=forecasts.new_zeros(()), weight=0.0, predictions=forecasts, state=state)


class NaiveOnly:
    """Says what a naive forecast says, without a model.

    Args:
        targets: the field of the next values of the target at each step.
        naive: the forecast.
    """

    def __init__(self, targets: str, naive: Naive) -> None:
        self._targets, self._naive = targets, naive

    def __call__(self, _model: nn.Module, batch: TensorBatch, _state: Any) -> Outcome:
        cells = scored_cells(batch, self._targets)
        found = self._naive.at(batch.host, cells)
        is_known = np.isfinite(found).all(axis=(1, 2))
        cells, found = cells[is_known], found[is_known]
        targets = _targets_at(batch, self._targets, cells)
        said = on_device(found, batch).expand_as(targets)
        return Outcome(
            loss=targets.new_zeros(()), weight=len(cells), predictions=said.flatten(0, 1), targets=targets.flatten(0, 1)
        )


def _level(model: Forecaster, base: Naive | None, batch: TensorBatch, cells: Ints) -> Tensor | None:
    """Returns what the model learns the difference to; where no value of the past is known, the mean."""
    if base is None:
        return None
    found = on_device(base.at(batch.host, cells), batch)
    return torch.where(found.isnan(), model.target_mean, found)


def scored_cells(batch: TensorBatch, targets: str) -> Ints:
    """Returns the cells that are scored: all of the next values are known."""
    cells = np.flatnonzero(batch.host.scored)
    found = batch.host[targets]
    if found.dtype.kind != "f":
        return cells
    found = found.reshape(batch.host.scored.size, -1)
    return cells[np.isfinite(found[cells]).all(axis=1)]


def _targets_at(batch: TensorBatch, targets: str, cells: Ints) -> Tensor:
    """Returns float64 [cells, horizon, numbers]."""
    found = batch[targets].flatten(0, 1).index_select(0, on_device(cells, batch)).double()
    return found if found.ndim > 2 else found[:, :, None]
