"""The forecaster: an LSTM that reads forward, and a linear head at every step."""

from typing import Any

from jaxtyping import Bool, Float, Int
from torch import Tensor

from drystone.core.errors import ConfigError
from drystone.torch.batch import TensorBatch
from drystone.train.model import ModelSpec, RunModel
from drystone.train.tasks.scaled import ScaledTargets


class Forecaster(RunModel, ScaledTargets):
    """The next values of the target at any step, in units of its standard deviation; rows carry the LSTM's state."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.window = spec.settings.window
        self.hold_target_statistics(1)

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
        output, state = self.lstm(self.read(x), state, valid=valid)
        forecasts = self.in_units(self.head(output))
        return forecasts if valid is None else forecasts.masked_fill(~valid[:, :, None], 0.0), state
