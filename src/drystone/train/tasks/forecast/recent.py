"""The last values of each row, for naive forecasts of sequences that come bit by bit."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Recent:
    """Naive forecasts over sequences that come bit by bit; what they need of the past is kept between calls.

    Args:
        offsets: how far from each step the values lie, each ≤ 0.
    """

    offsets: tuple[int, ...]

    @property
    def num_kept(self) -> int:
        """How many values of the past are needed beside the one at a step."""
        return -min(self.offsets)

    def at(
        self,
        values: Float[Tensor, "rows steps numbers"],
        real: Bool[Tensor, "rows steps"],
        before: tuple[Tensor, ...],
    ) -> tuple[Float[Tensor, "rows steps horizon numbers"], tuple[Tensor, ...]]:
        """Returns the forecasts at each step, and what is kept for the next steps.

        Args:
            values: of the target.
            real: true at real steps; what is said at others means nothing.
            before: what was kept: nothing where no past is needed; else the number of steps so far, float64 [1, rows, 1],
                and the last values, float64 [1, rows, kept × numbers]. () or zeros at the start.

        Returns:
            The value at each offset; where a row has none so far back, the value at the step.

        Example:
            >>> values, real = torch.tensor([[[1.0], [2.0], [3.0]]]), torch.tensor([[True, True, True]])
            >>> found, (count, kept) = Recent((-1, 0)).at(values, real, ())
            >>> found[0, :, :, 0].tolist(), count.item(), kept.tolist()
            ([[1.0, 1.0], [1.0, 2.0], [2.0, 3.0]], 3.0, [[[3.0]]])
        """
        num_rows, _, numbers = values.shape
        if not self.num_kept:
            return values[:, :, None], ()
        zeros = (values.new_zeros(1, num_rows, 1), values.new_zeros(1, num_rows, self.num_kept * numbers))
        started, kept = (part[0] for part in (before or zeros))
        in_order = torch.argsort((~real).to(torch.uint8), dim=1, stable=True)  # real steps first
        past = torch.cat([kept.reshape(num_rows, -1, numbers), _taken(values, in_order)], dim=1)
        number = real.cumsum(dim=1) - 1  # of each real step, counted in this call
        offsets = torch.tensor(self.offsets, device=values.device)
        exists = started.long()[:, :, None] + number[:, :, None] + offsets >= 0
        at = self.num_kept + number.clamp(min=0)[:, :, None] + torch.where(exists, offsets, 0)
        found = _taken(past, at.flatten(1)).reshape(*at.shape, numbers)
        count = real.sum(dim=1)[:, None]
        last = count + torch.arange(self.num_kept, device=values.device)
        return found, ((started + count)[None], _taken(past, last).flatten(1)[None])


def filled_forward(
    values: Float[Tensor, "rows steps numbers"], real: Bool[Tensor, "rows steps"], last: Float[Tensor, "1 rows numbers"]
) -> tuple[Float[Tensor, "rows steps numbers"], Float[Tensor, "1 rows numbers"]]:
    """Returns values with what misses replaced by the last one before it, and the last ones, for the next steps.

    Args:
        values: NaN is missing.
        real: true at real steps.
        last: the last values before.

    Example:
        >>> nan = float("nan")
        >>> found, last = filled_forward(torch.tensor([[[nan], [2.0], [nan]]]), torch.ones(1, 3) > 0, torch.zeros(1, 1, 1))
        >>> found[0, :, 0].tolist(), last.item()
        ([0.0, 2.0, 2.0], 2.0)
    """
    known = real[:, :, None] & ~values.isnan()
    steps = torch.arange(1, values.shape[1] + 1, device=values.device)[None, :, None]
    at = torch.where(known, steps, 0).cummax(dim=1).values
    past = torch.cat([last.transpose(0, 1), values], dim=1)
    found = past.gather(1, at)
    return found, past.gather(1, at[:, -1:]).transpose(0, 1)


def _taken(values: Tensor, at: Tensor) -> Tensor:
    """Returns [rows, places, numbers]: the values of each row at its places."""
    return values.gather(1, at[:, :, None].expand(-1, -1, values.shape[2]))
