"""Figures of forecasts that no unit and no offset of the target spoils."""

import torch
from torch import Tensor
from torchmetrics import MeanAbsoluteError, Metric

LARGEST_EXPONENT = 1000  # of float64: a little below the largest, so that factors are finite


class Squares(Metric):
    """The sum of squared errors, in a unit near the first targets, so that squares stay within range."""

    exponent: Tensor
    count: Tensor
    errors: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("exponent", "count", "errors"):
            self.add_state(name, torch.zeros((), dtype=torch.float64))

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Adds forecasts and what came, both [values] (any shape, but for `R2`) in the units of the target."""
        exponent = torch.frexp(target.abs().max()).exponent.clamp(-LARGEST_EXPONENT, LARGEST_EXPONENT)
        self.exponent = torch.where(self.count > 0, self.exponent, exponent)
        unit = torch.exp2(-self.exponent)  # a power of two: no digit is lost
        self.add(preds * unit, target * unit)

    def add(self, preds: Tensor, target: Tensor) -> None:
        """Adds values in the unit."""
        self.errors = self.errors + (target - preds).square().sum()
        self.count = self.count + target.numel()


class RootMeanSquare(Squares):
    """The root of the mean squared error, in the units of the target."""

    def compute(self) -> Tensor:
        """Returns √(Σ squared errors ÷ values)."""
        return (self.errors / self.count).sqrt() * torch.exp2(self.exponent)


class R2(Squares):
    """The coefficient of determination; of less than two values it is not a number.

    Squared differences are taken from the mean of each update, and joined: Σ y² − (Σ y)² ÷ n would lose all digits
    where the mean is large against the spread.
    """

    mean: Tensor
    differences: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("mean", "differences"):
            self.add_state(name, torch.zeros((), dtype=torch.float64))

    def add(self, preds: Tensor, target: Tensor) -> None:
        """Adds values in the unit."""
        before = self.count
        super().add(preds, target)
        first = target[0]
        mean = first + (target - first).mean()
        apart = mean - self.mean
        self.differences = (
            self.differences + (target - mean).square().sum() + apart.square() * before * len(target) / self.count
        )
        self.mean = self.mean + apart * len(target) / self.count

    def compute(self) -> Tensor:
        """Returns 1 − Σ squared errors ÷ Σ squared differences from the mean; of equal values 1 if all are met, else 0."""
        if self.count < 2:
            return torch.full_like(self.errors, torch.nan)
        if self.differences == 0:
            return (self.errors == 0).to(self.errors)
        return 1 - self.errors / self.differences


def metrics() -> dict[str, Metric]:
    """Returns what is told of forecasts beside their loss, over all scored steps and the whole horizon, in units."""
    return {"rmse": RootMeanSquare(), "mae": MeanAbsoluteError(), "r2": R2()}
