"""The tagger: an LSTM, and a linear head at every step."""

from typing import Any

from jaxtyping import Bool, Float, Int
from torch import Tensor

from drystone.torch.batch import TensorBatch
from drystone.train.model import ModelSpec, RunModel
from drystone.train.tasks.scaled import ScaledTargets
from drystone.train.tasks.tag.outputs import Outputs


class Tagger(RunModel, ScaledTargets):
    """What is said at any step; read in one direction, rows carry the LSTM's state."""

    def __init__(self, spec: ModelSpec, outputs: Outputs) -> None:
        super().__init__(spec)
        self.outputs = outputs
        self.hold_target_statistics(outputs.num_outputs if outputs.is_scaled else 1)

    def forward(
        self, batch: TensorBatch, state: Any, cells: Int[Tensor, " cells"]
    ) -> tuple[Float[Tensor, "cells outputs"], Any]:
        """Returns the outputs at some cells, and the state of the rows: None of a model that reads backward too.

        Args:
            batch: with the features.
            state: of the rows, from the batch before; None for zeros.
            cells: their numbers row × steps + step.
        """
        both = self.lstm.bidirectional
        run = self.lstm.run(self.inputs(batch), batch.grid, None if both else state)
        outputs = self.head(self.dropout(run.output.flatten(0, 1).index_select(0, cells)))
        return outputs, None if both else run.state

    def advance(
        self,
        x: Float[Tensor, "rows steps numbers"],
        state: Any = None,
        valid: Bool[Tensor, "rows steps"] | None = None,
    ) -> tuple[Float[Tensor, "rows steps outputs"], Any]:
        """Returns what is said at each step, and the state: h and c; see `RunModel`."""
        self.check_one_direction()
        output, state = self.lstm(self.read(x), state, valid=valid)
        found = self.readable(self.head(output))
        return found if valid is None else found.masked_fill(~valid[:, :, None], 0.0), state

    def readable(self, outputs: Tensor) -> Tensor:
        """Returns outputs as probabilities, or as numbers in the units of the target, in float64."""
        return self.outputs.readable(self.in_units(outputs))
