"""The gradient of the mean over all ranks: one sum over all of them, of all parameters end to end."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import Parameter

from drystone.train.ranks.ranks import Ranks


def make_mean(parameters: Sequence[Parameter], factor: float, loss: Tensor, ranks: Ranks) -> Tensor:
    """Multiplies the gradients of a rank, and adds up those of all ranks, in their place.

    Args:
        parameters: those that have a gradient on any rank, the same ones on all.
        factor: of the gradients of this rank.
        loss: a scalar, the part of the loss that is this rank's.
        ranks: all of them.

    Returns:
        The loss of all ranks, in the precision of the gradients where there are several.
    """
    if factor != 1.0:
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.mul_(factor)
    if ranks.is_alone:
        return loss
    gradients = [torch.zeros_like(each) if each.grad is None else each.grad for each in parameters]
    flat = ranks.summed(torch.cat([loss.to(gradients[0].dtype).reshape(1), *(each.reshape(-1) for each in gradients)]))
    summed, *parts = flat.split([1, *(each.numel() for each in parameters)])
    for parameter, gradient, part in zip(parameters, gradients, parts, strict=True):
        parameter.grad = gradient.copy_(part.view_as(gradient))
    return summed[0].double()
