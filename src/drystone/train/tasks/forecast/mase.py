"""The mean absolute scaled error: how forecasts compare with a naive one of the next value, whatever the unit."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchmetrics import Metric

from drystone.core.lengths import offsets_of
from drystone.core.sequences import Sequences


def naive_errors(seqs: Sequences, target: str, season: int | None) -> npt.NDArray[np.float64]:
    """Returns the mean absolute difference of each number of the target to its value one season before: [numbers].

    Args:
        seqs: the training part.
        target: the field; what misses (NaN) is left out.
        season: in steps; None compares with the value one step before.

    Returns:
        0 where no sequence is longer than a season.
    """
    values = seqs.field(target).values.reshape(seqs.num_steps, -1).astype(np.float64)
    past = season or 1
    largest = np.nanmax(np.abs(values), axis=0, initial=0.0)
    scale = np.where(largest > 0, largest, 1.0)  # so that differences stay within range
    begins = offsets_of(seqs.lengths)[:-1]
    step = np.arange(seqs.num_steps) - np.repeat(begins, seqs.lengths)
    now = np.flatnonzero(step >= past)
    differences = np.abs(values[now] / scale - values[now - past] / scale)
    count = (~np.isnan(differences)).sum(axis=0)
    return np.nansum(differences, axis=0) / np.maximum(count, 1) * scale


class ScaledError(Metric):
    """The mean absolute error of each number ÷ its naive error, mean over the numbers that have one.

    From Hyndman and Koehler (2006), "Another look at measures of forecast accuracy".

    Args:
        naive: [numbers] what `naive_errors` returned; at least one is above 0.
    """

    full_state_update = False
    errors: Tensor
    count: Tensor

    def __init__(self, naive: npt.NDArray[np.float64]) -> None:
        super().__init__()
        self.naive = tuple(naive.tolist())
        self.add_state("errors", torch.zeros(len(naive), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Adds predictions and what came, both [values], or [predictions, numbers], in the units of the target."""
        preds, target = (values.reshape(-1, len(self.naive)) for values in (preds, target))
        self.errors = self.errors + (preds - target).abs().sum(dim=0)
        self.count = self.count + len(target)

    def compute(self) -> Tensor:
        """Returns the mean of the scaled errors."""
        naive = self.errors.new_tensor(self.naive)
        return (self.errors / self.count / naive)[naive > 0].mean()
