"""One answer a sequence: a pool by sequence over the outputs of an LSTM, a linear head."""

from typing import Any, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from drystone.torch.batch import TensorBatch
from drystone.torch.pool import How, pool
from drystone.train.model import ModelSpec
from drystone.train.tasks.answering import AnsweringModel
from drystone.train.tasks.outputs.outputs import Outputs
from drystone.train.tasks.sequence.running import running


class SequenceModel(AnsweringModel):
    """What the head says of each sequence that ends in the batch, a row each."""

    def __init__(self, spec: ModelSpec, outputs: Outputs) -> None:
        assert spec.settings.pooling is not None
        poolings = cast("list[How]", spec.settings.pooling.split("+"))
        super().__init__(spec, outputs, len(poolings))
        self.poolings = poolings

    def forward(self, batch: TensorBatch) -> Float[Tensor, "sequences outputs"]:
        """Returns the outputs of the head, in the order of `batch.ends`."""
        run = self.run(batch)
        both = self.lstm.bidirectional
        pooled = torch.cat([pool(run.output, batch.grid, how, bidirectional=both) for how in self.poolings], dim=1)
        return self.head(self.dropout(pooled))

    def advance(
        self,
        x: Float[Tensor, "rows steps numbers"],
        state: Any = None,
        valid: Bool[Tensor, "rows steps"] | None = None,
    ) -> tuple[Float[Tensor, "rows steps outputs"], Any]:
        """Returns what is said if each sequence ended at each step, and the state: see `RunModel`.

        The state is h and c of the LSTM, and what the pooling needs of all steps before.
        """
        self.check_one_direction()
        h_and_c, before = (None, ()) if state is None else (state[:2], state[2:])
        output, (h, c) = self.lstm(self.read(x), h_and_c, valid=valid)
        real = torch.ones(output.shape[:2], dtype=torch.bool, device=output.device) if valid is None else valid
        pooled, after = running(output, real, self.poolings, before)
        said = self.readable(self.head(pooled.to(output.dtype)))
        return said.masked_fill(~real[:, :, None], 0.0), (h, c, *after)
