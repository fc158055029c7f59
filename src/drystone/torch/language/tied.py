"""Scores of tokens from the vectors that they are read by."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from drystone.torch.vectors import vectors_of


class TiedHead(nn.Module):
    """A score for each token from the vector that it is read by (Press and Wolf, 2017; Inan et al., 2017), and a bias.

    Where vectors are not as wide as what is scored, a linear map leads from one to the other. The vectors stay those of
    the embedding alone, so files hold them once; padding's stays 0, for else it would learn a vector, and be read as it.

    Args:
        embedding: with `padding_idx=0`; its vectors start anew.
        width: numbers of what is scored.

    Example:
        >>> embedding = nn.Embedding(10, 3, padding_idx=0)
        >>> TiedHead(embedding, 8)(torch.zeros(2, 8)).shape
        torch.Size([2, 10])
    """

    def __init__(self, embedding: nn.Embedding, width: int) -> None:
        super().__init__()
        size = embedding.embedding_dim
        # The usual vectors, of deviation 1, would make scores of deviation √size.
        nn.init.uniform_(embedding.weight, -(size**-0.5), size**-0.5)
        with torch.no_grad():
            embedding.weight[0] = 0.0
        self._embedding = (embedding,)  # no part of this module
        self.narrowed = nn.Identity() if width == size else nn.Linear(width, size, bias=False)
        self.bias = nn.Parameter(embedding.weight.new_zeros(embedding.num_embeddings))

    @property
    def weight(self) -> Tensor:
        """Of the embedding."""
        return self._embedding[0].weight

    def forward(self, x: Float[Tensor, "*any width"]) -> Float[Tensor, "*any tokens"]:
        """Returns a score for each token."""
        return functional.linear(self.narrowed(x), vectors_of(self._embedding[0]), self.bias)
