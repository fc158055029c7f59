"""The language model of a run: tokens as vectors, an LSTM, a score for each token that may follow."""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from drystone.torch.batch import TensorBatch
from drystone.torch.language import TiedHead
from drystone.train.features.inputs import Tokens
from drystone.train.model import ModelSpec, RunModel


class LanguageNet(RunModel):
    """Scores what follows each token; rows carry the state. What begins a document is read as a vector of zeros."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        if spec.settings.tied:
            (reader,) = self.input_layer.readers
            assert isinstance(reader, Tokens)
            self.head = TiedHead(reader.vectors, spec.settings.hidden_size)

    def forward(
        self, batch: TensorBatch, state: Any, cells: Int[Tensor, " cells"]
    ) -> tuple[Float[Tensor, "cells tokens"], Any]:
        """Returns a score for each token at some cells, and the state of the rows: see `RunModel.at_cells`."""
        return self.at_cells(batch, state, cells)

    def advance(
        self,
        x: Float[Tensor, "rows steps numbers"],
        state: Any = None,
        valid: Bool[Tensor, "rows steps"] | None = None,
    ) -> tuple[Float[Tensor, "rows steps outputs"], Any]:
        """Returns the probability of each token that may follow each step, and the state: h and c; see `RunModel`."""
        output, state = self.lstm(self.read(x), state, valid=valid)
        found = self.head(output).double().softmax(dim=-1)
        return found if valid is None else found.masked_fill(~valid[:, :, None], 0.0), state


class NextScores:
    """Goes on with texts of token ids, as `drystone.torch.language.generate` asks.

    Args:
        model: in evaluation mode.
    """

    def __init__(self, model: LanguageNet) -> None:
        self._model = model

    @torch.inference_mode()
    def advance(self, ids: Int[Tensor, "rows steps"], state: Any = None) -> tuple[Float[Tensor, "rows tokens"], Any]:
        """Returns a score for each token that may follow the last step, and the state."""
        device = self._model.head.weight.device
        output, state = self._model.lstm(self._model.read(ids[:, :, None].double().to(device)), state)
        return self._model.head(output[:, -1]), state
