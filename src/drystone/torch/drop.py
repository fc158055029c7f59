"""Dropout of single numbers (Srivastava et al., 2014), with random words that decide on four numbers each on CPUs.

PyTorch draws anew for every number there, on one thread: for a small LSTM that is a quarter of the training.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from drystone.torch.parameters import check_fraction

LEVELS = 1 << 16  # numbers of a 16-bit part of a word


def drop(values: Float[Tensor, "*shape"], fraction: float) -> Float[Tensor, "*shape"]:
    """Returns the values with a fraction of them 0, each on its own; what is kept grows, so that the mean stays.

    Draws from PyTorch's generator of the device. On CPUs a fraction is rounded to a multiple of 2⁻¹⁶, and what is kept
    grows by as much as that needs.

    Args:
        values: of any shape.
        fraction: 0 … 1.

    Example:
        >>> drop(torch.ones(1000), 0.25).unique()
        tensor([0.0000, 1.3333])
    """
    if values.device.type != "cpu" or torch.compiler.is_compiling():
        return functional.dropout(values, fraction)
    num_dropped = round(fraction * LEVELS)
    if num_dropped in (0, LEVELS):
        return values * (1.0 if num_dropped == 0 else 0.0)
    words = torch.empty(-(-values.numel() // 4), dtype=torch.int64).random_(-(1 << 63), None)
    numbers = words.view(torch.int16)[: values.numel()].view(values.shape)
    is_kept = numbers >= num_dropped - LEVELS // 2
    return values * is_kept.to(values.dtype).mul_(LEVELS / (LEVELS - num_dropped))


class Dropout(nn.Module):
    """`drop` in training, nothing in evaluation; in place of `torch.nn.Dropout`.

    Args:
        fraction: 0 … 1.

    Raises:
        ShapeError: a fraction out of range.
    """

    def __init__(self, fraction: float) -> None:
        super().__init__()
        self.fraction = check_fraction("dropout", fraction, may_be_1=True)

    def forward(self, values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Returns the values, some of them 0 in training."""
        return drop(values, self.fraction) if self.training and self.fraction else values

    def extra_repr(self) -> str:
        """The fraction."""
        return str(self.fraction)
