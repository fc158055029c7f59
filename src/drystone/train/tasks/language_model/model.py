"""The language model of a run: tokens as vectors, an LSTM, a score for each token that may follow."""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from drystone.text.kinds import PADDING
from drystone.torch.batch import TensorBatch
from drystone.train.features.inputs import Tokens
from drystone.train.model import ModelSpec, RunModel


class TiedHead(nn.Module):
    """A score for each token from the vector that it is read by (Press and Wolf, 2017; Inan et al., 2017), and a bias.

    The vectors stay those of the embedding alone, so files hold them once.

    Args:
        vectors: the embedding.
    """

    is_token: Tensor

    def __init__(self, vectors: nn.Embedding) -> None:
        super().__init__()
        self._vectors = (vectors,)  # no part of this module
        is_token = torch.ones(vectors.num_embeddings, 1)
        is_token[PADDING] = 0.0
        self.register_buffer("is_token", is_token, persistent=False)
        self.bias = nn.Parameter(vectors.weight.new_zeros(vectors.num_embeddings))

    @property
    def weight(self) -> Tensor:
        """Of the embedding."""
        return self._vectors[0].weight

    def forward(self, x: Float[Tensor, "*any size"]) -> Float[Tensor, "*any tokens"]:
        # Else padding, which is never right, would learn a vector, and be read as it.
        return functional.linear(x, self.weight * self.is_token.to(self.weight.dtype), self.bias)


class LanguageNet(RunModel):
    """Scores what follows each token; rows carry the state. What begins a document is read as a vector of zeros."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        if spec.settings.tied:
            (reader,) = self.input_layer.readers
            assert isinstance(reader, Tokens)
            # The usual vectors, of deviation 1, would make scores of deviation √size.
            nn.init.uniform_(reader.vectors.weight, -(reader.width**-0.5), reader.width**-0.5)
            reader.vectors.weight.data[PADDING] = 0.0
            self.head = TiedHead(reader.vectors)

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
