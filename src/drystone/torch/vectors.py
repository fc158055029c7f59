"""The vectors of an embedding as a table: that of padding is 0, and learns nothing."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


def vectors_of(embedding: nn.Embedding) -> Float[Tensor, "vectors size"]:
    """Returns what an embedding with `padding_idx=0` answers for each id, with its gradient: none for id 0."""
    if not torch.is_grad_enabled():
        return embedding.weight  # which is not copied; its first vector is 0 anyway
    return functional.pad(embedding.weight[1:], (0, 0, 1, 0))
