"""Targets in units of their standard deviation: what a model of numbers learns, and how it is told in their own units."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn


class ScaledTargets(nn.Module):
    """What models share that predict numbers: statistics of the targets, saved with the weights."""

    target_mean: Tensor
    target_spread: Tensor

    def hold_target_statistics(self, num_targets: int) -> None:
        """Makes room for the statistics, [num_targets] each; to be called when the model is made."""
        self.register_buffer("target_mean", torch.zeros(num_targets, dtype=torch.float64))
        self.register_buffer("target_spread", torch.ones(num_targets, dtype=torch.float64))

    def set_target_statistics(self, mean: npt.NDArray[np.float64], spread: npt.NDArray[np.float64]) -> None:
        """Sets what targets are standardised with."""
        self.target_mean.copy_(torch.from_numpy(mean))
        self.target_spread.copy_(torch.from_numpy(spread))

    def standardised_targets(self, targets: Tensor, level: Tensor | None = None) -> Tensor:
        """Returns how far targets are from a level, by default their mean, in units of their standard deviation, in float64."""
        return (targets.double() - (self.target_mean if level is None else level)) / self.target_spread

    def in_units(self, outputs: Tensor, level: Tensor | None = None) -> Tensor:
        """Returns outputs in the units of the target, in float64; `level` as `standardised_targets` had it."""
        return outputs.double() * self.target_spread + (self.target_mean if level is None else level)
