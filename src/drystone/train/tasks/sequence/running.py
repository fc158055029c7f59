"""Pooling over sequences that come bit by bit: what each pool would be if the sequence ended at each step."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def running(
    output: Float[Tensor, "rows steps units"],
    real: Bool[Tensor, "rows steps"],
    poolings: Sequence[str],
    before: Sequence[Tensor],
) -> tuple[Float[Tensor, "rows steps width"], tuple[Tensor, ...]]:
    """Returns the pools side by side at each step, and what is kept for the next steps.

    Args:
        output: of an LSTM.
        real: true at real steps; what is said of others means nothing.
        poolings: "last" alone, or any of "mean" and "max".
        before: what was kept: nothing for "last"; else the number of steps, float64 [1, rows, 1], and of each pooling
            float64 [1, rows, units]. () or zeros at the start.

    Example:
        >>> output, real = torch.tensor([[[1.0], [4.0], [2.0]]]), torch.tensor([[True, True, False]])
        >>> pooled, kept = running(output, real, ["mean", "max"], ())
        >>> pooled[0, :2].tolist(), [part.item() for part in kept]
        ([[1.0, 1.0], [2.5, 4.0]], [2.0, 5.0, 4.0])
    """
    if all(how == "last" for how in poolings):
        return output, ()
    values, real = output.double(), real[:, :, None]
    zeros = [
        values.new_zeros(1, len(output), 1),
        *(values.new_zeros(1, len(output), output.shape[2]) for _ in poolings),
    ]
    started, *old = (part[0, :, None] for part in (before or zeros))
    count = started + real.cumsum(dim=1)
    found = [POOLS[how](values, real, part, started > 0) for how, part in zip(poolings, old, strict=True)]
    pooled = [
        every / count.clamp(min=1) if how == "mean" else every for how, every in zip(poolings, found, strict=True)
    ]
    return torch.cat(pooled, dim=2), tuple(every[:, -1][None] for every in (count, *found))


def _sums(output: Tensor, real: Tensor, old: Tensor, _has_begun: Tensor) -> Tensor:
    return old + output.masked_fill(~real, 0.0).cumsum(dim=1)


def _highest(output: Tensor, real: Tensor, old: Tensor, has_begun: Tensor) -> Tensor:
    """Where nothing came yet there is no maximum; 0 is kept for it, so that zeros are a start."""
    found = torch.maximum(
        output.masked_fill(~real, -torch.inf).cummax(dim=1).values, old.masked_fill(~has_begun, -torch.inf)
    )
    return found.masked_fill(found == -torch.inf, 0.0)


POOLS: Mapping[str, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = MappingProxyType(
    {"mean": _sums, "max": _highest}
)
