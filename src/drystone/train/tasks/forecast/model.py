"""The forecaster: an LSTM that reads forward, and a linear head at every step."""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from drystone.core.errors import ConfigError
from drystone.torch.batch import TensorBatch
from drystone.train.model import ModelSpec, RunModel
from drystone.train.tasks.forecast.outlook import Outlook
from drystone.train.tasks.forecast.recent import Recent, filled_forward
from drystone.train.tasks.scaled import ScaledTargets


class Forecaster(RunModel, ScaledTargets):
    """The next values of the target at any step, in units of its standard deviation; rows carry the LSTM's state.

    Args:
        spec: what its shape depends on.
        outlook: what the forecasts are of.
        inputs: which numbers of a step are the target; () where they are not all among the features.
    """

    def __init__(self, spec: ModelSpec, outlook: Outlook, inputs: tuple[int, ...] = ()) -> None:
        super().__init__(spec)
        self.window = spec.settings.window
        self.may_miss = spec.settings.missing != "error"
        self.outlook = outlook
        self.target_inputs = inputs
        self.hold_target_statistics(outlook.num_numbers)

    def forward(
        self, batch: TensorBatch, state: Any, cells: Int[Tensor, " cells"]
    ) -> tuple[Float[Tensor, "cells horizon numbers"], Any]:
        """Returns the standardised forecasts at some cells, and the state of the rows: see `RunModel.at_cells`."""
        said, state = self.at_cells(batch, state, cells)
        return said.unflatten(1, self._ahead), state

    def advance(
        self,
        x: Float[Tensor, "rows steps numbers"],
        state: Any = None,
        valid: Bool[Tensor, "rows steps"] | None = None,
    ) -> tuple[Float[Tensor, "rows steps outputs"], Any]:
        """Returns the forecasts at each step, in the units of the target, and the state: see `RunModel`.

        The state is h and c, and what the base needs of all steps before.
        """
        if self.window is not None:
            raise ConfigError(
                f"window is {self.window}: the model forecasts from the last {self.window} steps alone, from a state of "
                f"zeros, so it cannot go on step by step. Train it with layout='stateful', without windows."
            )
        h_and_c, before = (None, ()) if state is None else (state[:2], state[2:])
        output, (h, c) = self.lstm(self.read(x), h_and_c, valid=valid)
        real = torch.ones(output.shape[:2], dtype=torch.bool, device=output.device) if valid is None else valid
        level, after = self._level(x, real, before)
        forecasts = self.in_units(self.head(output).unflatten(2, self._ahead), level)
        return forecasts.transpose(2, 3).flatten(2).masked_fill(~real[:, :, None], 0.0), (h, c, *after)

    def _level(self, x: Tensor, real: Tensor, before: tuple[Tensor, ...]) -> tuple[Tensor | None, tuple[Tensor, ...]]:
        offsets = self.outlook.base_offsets
        if offsets is None:
            return None, ()
        if not self.target_inputs:
            raise ConfigError(
                f"base is {self.outlook.base!r}: forecasts are differences to past values of the target, which is not among "
                f"the features, so the model cannot go on step by step. Train it with the target as a feature, or with "
                f"base='none'."
            )
        values = x[:, :, list(self.target_inputs)].double()
        if not self.may_miss:
            return Recent(offsets).at(values, real, before)
        last, *kept = before or (values.new_zeros(1, len(values), values.shape[2]),)
        # Around the mean, so that zeros are a start: where nothing is known yet, the mean stands for it.
        filled, last = filled_forward(values - self.target_mean, real, last)
        found, after = Recent(offsets).at(filled, real, tuple(kept))
        return found + self.target_mean, (last, *after)

    @property
    def _ahead(self) -> tuple[int, int]:
        return self.outlook.horizon, self.outlook.num_numbers
