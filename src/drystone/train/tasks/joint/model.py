"""The joint model: an LSTM, a head at every step, and one over what is pooled of a sequence."""

from typing import Any, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from drystone.torch.batch import TensorBatch
from drystone.torch.pool import How, pool
from drystone.train.model import ModelSpec, RunModel
from drystone.train.tasks.outputs.outputs import Outputs
from drystone.train.tasks.sequence.running import running


class JointModel(RunModel):
    """What is said of each sequence that ends in the batch, and of its steps.

    Args:
        spec: what its shape depends on; its outputs are those of a step.
        sequences: what is said of a sequence.
        steps: what is said of a step.
    """

    def __init__(self, spec: ModelSpec, sequences: Outputs, steps: Outputs) -> None:
        assert spec.settings.pooling is not None
        super().__init__(spec)
        self.sequences, self.steps = sequences, steps
        self.poolings = cast("list[How]", spec.settings.pooling.split("+"))
        width = self.head.in_features * len(self.poolings)
        self.sequence_head = nn.Linear(width, sequences.num_outputs, dtype=self.head.weight.dtype)

    def forward(
        self, batch: TensorBatch, cells: Int[Tensor, " cells"]
    ) -> tuple[Float[Tensor, "sequences labels"], Float[Tensor, "cells tags"]]:
        """Returns the outputs of the sequences, in the order of `batch.ends`, and of some cells, row × steps + step."""
        output = self.run(batch).output
        both = self.lstm.bidirectional
        pooled = torch.cat([pool(output, batch.grid, how, bidirectional=both) for how in self.poolings], dim=1)
        at_cells = output.flatten(0, 1).index_select(0, cells)
        return self.sequence_head(self.dropout(pooled)), self.head(self.dropout(at_cells))

    def advance(
        self,
        x: Float[Tensor, "rows steps numbers"],
        state: Any = None,
        valid: Bool[Tensor, "rows steps"] | None = None,
    ) -> tuple[Float[Tensor, "rows steps outputs"], Any]:
        """Returns what is said of a sequence if it ended at each step, then of the step; and the state: see `RunModel`."""
        self.check_one_direction()
        h_and_c, before = (None, ()) if state is None else (state[:2], state[2:])
        output, (h, c) = self.lstm(self.read(x), h_and_c, valid=valid)
        real = torch.ones(output.shape[:2], dtype=torch.bool, device=output.device) if valid is None else valid
        pooled, after = running(output, real, self.poolings, before)
        said = self.side_by_side(self.sequence_head(pooled.to(output.dtype)), self.head(output))
        return said.masked_fill(~real[:, :, None], 0.0), (h, c, *after)

    def side_by_side(self, sequences: Tensor, steps: Tensor) -> Tensor:
        """Returns probabilities, in float64, from outputs of both heads for the same places."""
        return torch.cat([self.sequences.readable(sequences.double()), self.steps.readable(steps.double())], dim=-1)
