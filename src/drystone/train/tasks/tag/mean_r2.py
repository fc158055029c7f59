"""The mean of the coefficients of determination of several numbers."""

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from drystone.train.tasks.forecast.figures import R2


class MeanR2(Metric):
    """Each number is compared with its own mean, so that no unit of one hides what is missed of another.

    Args:
        num_numbers: how many a step has.
    """

    def __init__(self, num_numbers: int) -> None:
        super().__init__()
        self.each = nn.ModuleList(R2() for _ in range(num_numbers))

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Adds predictions and what came, both [steps, numbers] in the units of the target."""
        for number, metric in enumerate(self._metrics):
            metric.update(preds[:, number], target[:, number].double())

    def compute(self) -> Tensor:
        """Returns the mean of the numbers' coefficients."""
        for metric in self._metrics:
            metric._update_count = self._update_count  # else one that was loaded warns that nothing was counted
        return torch.stack([metric.compute() for metric in self._metrics]).mean()

    def reset(self) -> None:
        """Begins anew."""
        super().reset()
        for metric in self._metrics:
            metric.reset()

    def persistent(self, mode: bool = False) -> None:  # noqa: FBT001, FBT002 (as torchmetrics has it)
        """Says whether `state_dict` holds the sums."""
        super().persistent(mode)
        for metric in self._metrics:
            metric.persistent(mode)

    @property
    def _metrics(self) -> list[R2]:
        return [metric for metric in self.each if isinstance(metric, R2)]
