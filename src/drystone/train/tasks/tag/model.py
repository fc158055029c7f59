"""The tagger: an LSTM, and a linear head at every step."""

from typing import Any

from jaxtyping import Bool, Float, Int
from torch import Tensor

from drystone.torch.batch import TensorBatch
from drystone.train.tasks.answering import AnsweringModel


class Tagger(AnsweringModel):
    """What is said at any step; read in one direction, rows carry the LSTM's state."""

    def forward(
        self, batch: TensorBatch, state: Any, cells: Int[Tensor, " cells"]
    ) -> tuple[Float[Tensor, "cells outputs"], Any]:
        """Returns the outputs at some cells, and the state of the rows: see `RunModel.at_cells`."""
        return self.at_cells(batch, state, cells)

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
