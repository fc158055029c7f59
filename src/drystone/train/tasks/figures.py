"""Figures of predicted numbers that no unit and no offset of the target spoils."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import MeanAbsoluteError, Metric

LARGEST_EXPONENT = 1000  # of float64: a little below the largest, so that factors are finite


class Squares(Metric):
    """The sum of squared errors of each number, in a unit near its first targets, so that squares stay within range.

    Args:
        num_numbers: how many numbers each prediction has, each with a unit of its own.
    """

    full_state_update = False
    exponent: Tensor
    count: Tensor
    errors: Tensor

    def __init__(self, num_numbers: int = 1) -> None:
        super().__init__()
        self.num_numbers = num_numbers
        self.add_state("count", torch.zeros((), dtype=torch.float64))
        for name in ("exponent", "errors"):
            self.add_state(name, torch.zeros(num_numbers, dtype=torch.float64))

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Adds predictions and what came, both [values], or [predictions, numbers], in the units of the target."""
        preds, target = (values.reshape(-1, self.num_numbers) for values in (preds, target))
        exponent = torch.frexp(target.abs().amax(dim=0)).exponent.clamp(-LARGEST_EXPONENT, LARGEST_EXPONENT)
        self.exponent = torch.where(self.count > 0, self.exponent, exponent)
        unit = torch.exp2(-self.exponent)  # a power of two: no digit is lost
        self.add(preds * unit, target * unit)

    def add(self, preds: Tensor, target: Tensor) -> None:
        """Adds values in the unit, [predictions, numbers]."""
        self.errors = self.errors + (target - preds).square().sum(dim=0)
        self.count = self.count + len(target)

    def merge_state(self, incoming_state: Any) -> None:
        """Adds what another metric of this kind has counted."""
        if not self.count:
            self.exponent = incoming_state.exponent
        exponent = torch.maximum(self.exponent, incoming_state.exponent)
        self.join(incoming_state, *(torch.exp2(each.exponent - exponent) for each in (self, incoming_state)))
        self.exponent = exponent

    def join(self, other: Any, mine: Tensor, others: Tensor) -> None:
        """Adds what another one has counted; the unit of each, in that of both, is [numbers]."""
        self.errors = self.errors * mine**2 + other.errors * others**2
        self.count = self.count + other.count


class RootMeanSquare(Squares):
    """The root of the mean squared error, in the units of the target; of several numbers, over all of them together."""

    def compute(self) -> Tensor:
        """Returns √(Σ squared errors ÷ values)."""
        largest = self.exponent.max()
        errors = self.errors * torch.exp2(2 * (self.exponent - largest))
        return (errors.sum() / (self.count * self.num_numbers)).sqrt() * torch.exp2(largest)


class R2(Squares):
    """The coefficient of determination, the mean of those of several numbers; of less than two values it is not a number.

    Squared differences are taken from the mean of each update, and joined: Σ y² − (Σ y)² ÷ n would lose all digits
    where the mean is large against the spread.
    """

    mean: Tensor
    differences: Tensor

    def __init__(self, num_numbers: int = 1) -> None:
        super().__init__(num_numbers)
        for name in ("mean", "differences"):
            self.add_state(name, torch.zeros(num_numbers, dtype=torch.float64))

    def add(self, preds: Tensor, target: Tensor) -> None:
        """Adds values in the unit, [predictions, numbers]."""
        before = self.count
        super().add(preds, target)
        first = target[0]
        mean = first + (target - first).mean(dim=0)
        apart = mean - self.mean
        self.differences = (
            self.differences + (target - mean).square().sum(dim=0) + apart.square() * before * len(target) / self.count
        )
        self.mean = self.mean + apart * len(target) / self.count

    def join(self, other: Any, mine: Tensor, others: Tensor) -> None:
        """Adds what another one has counted."""
        count, apart = self.count + other.count, other.mean * others - self.mean * mine
        share = torch.where(count > 0, other.count / count.clamp(min=1), 0.0)
        self.differences = (
            self.differences * mine**2 + other.differences * others**2 + apart.square() * self.count * share
        )
        self.mean = self.mean * mine + apart * share
        super().join(other, mine, others)

    def compute(self) -> Tensor:
        """Returns 1 − Σ squared errors ÷ Σ squared differences from the mean; of equal values 1 if all are met, else 0."""
        if self.count < 2:
            return torch.full_like(self.count, torch.nan)
        is_constant = self.differences == 0
        explained = 1 - self.errors / torch.where(is_constant, 1.0, self.differences)
        return torch.where(is_constant, (self.errors == 0).to(self.errors), explained).mean()


def metrics(num_numbers: int = 1) -> dict[str, Metric]:
    """Returns what is told of predicted numbers beside their loss, over all that was scored, in the units of the target."""
    return {"rmse": RootMeanSquare(num_numbers), "mae": MeanAbsoluteError(), "r2": R2(num_numbers)}
