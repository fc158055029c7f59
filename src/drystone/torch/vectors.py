"""The vectors of an embedding as a table: that of padding is 0, and learns nothing."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


def vectors_of(embedding: nn.Embedding) -> Float[Tensor, "vectors size"]:
    """Returns what an embedding with `padding_idx=0` answers for each id, with its gradient: none for id 0."""
    return functional.pad(embedding.weight[1:], (0, 0, 1, 0))
