"""The forecaster: an LSTM that reads forward, and a linear head at every step."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from drystone.core.errors import ConfigError
from drystone.torch.batch import TensorBatch
from drystone.train.model import ModelSpec, RunModel


class Forecaster(RunModel):
    """The next values of the target at any step, in units of its standard deviation; rows carry the LSTM's state."""

    target_mean: Tensor
    target_spread: Tensor

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.window = spec.settings.window
        self.register_buffer("target_mean", torch.zeros(1, dtype=torch.float64))
        self.register_buffer("target_spread", torch.ones(1, dtype=torch.float64))

    def set_target_statistics(self, mean: npt.NDArray[np.float64], spread: npt.NDArray[np.float64]) -> None:
        """Sets what targets are standardised with; it is saved with the weights."""
        self.target_mean.copy_(torch.from_numpy(mean))
        self.target_spread.copy_(torch.from_numpy(spread))

    def forward(
        self, batch: TensorBatch, state: Any, cells: Int[Tensor, " cells"]
    ) -> tuple[Float[Tensor, "cells horizon"], Any]:
        """Returns the standardised forecasts at some cells, and the state of the rows.

        Args:
            batch: with the features.
            state: of the rows, from the batch before; None for zeros.
            cells: their numbers row × steps + step.
        """
        run = self.lstm.run(self.inputs(batch), batch.grid, state)
        return self.head(self.dropout(run.output.flatten(0, 1).index_select(0, cells))), run.state

    def advance(
        self,
        x: Float[Tensor, "rows steps numbers"],
        state: Any = None,
        valid: Bool[Tensor, "rows steps"] | None = None,
    ) -> tuple[Float[Tensor, "rows steps outputs"], Any]:
        """Returns the forecasts at each step, in the units of the target, and the state: h and c; see `RunModel`."""
        if self.window is not None:
            raise ConfigError(
                f"window is {self.window}: the model forecasts from the last {self.window} steps alone, from a state of "
                f"zeros, so it cannot go on step by step. Train it with layout='stateful', without windows."
            )
        output, state = self.lstm(self.standardised(x), state, valid=valid)
        forecasts = self.in_units(self.head(output))
        return forecasts if valid is None else forecasts.masked_fill(~valid[:, :, None], 0.0), state

    def standardised_targets(self, targets: Tensor) -> Tensor:
        """Returns targets in units of their standard deviation, in float64."""
        return (targets.double() - self.target_mean) / self.target_spread

    def in_units(self, forecasts: Tensor) -> Tensor:
        """Returns forecasts in the units of the target, in float64."""
        return forecasts.double() * self.target_spread + self.target_mean
