"""Numbers of an item."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torchmetrics import Metric

from drystone.core.sequences import Sequences
from drystone.train.features.numbers import check_finite
from drystone.train.tasks import figures
from drystone.train.tasks.number_names import number_names
from drystone.train.tasks.outputs.outputs import PREDICTION
from drystone.train.tasks.outputs.shaped import Shaped, check_shape, shape_of


@dataclass(frozen=True, slots=True)
class Numbers(Shaped):
    """Numbers in units of their standard deviation in the training part: squared errors, mean over the numbers of an item."""

    kind: ClassVar[str] = "numbers"
    baseline: ClassVar[str] = "mean"
    is_scaled: ClassVar[bool] = True
    activation: ClassVar[str] = "linear"

    @classmethod
    def of(cls, seqs: Sequences, target: str) -> "Numbers":
        """Returns as many numbers as an item of the target has."""
        check_finite(seqs, target, "targets")
        return cls(shape_of(seqs, target))

    def check(self, seqs: Sequences, target: str) -> None:
        """Proves that all are finite."""
        check_shape(seqs, target, self.shape)
        check_finite(seqs, target, "targets")

    def encoded(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Returns [items, numbers], of floats."""
        numbers = values.reshape(len(values), -1)
        return numbers if numbers.dtype.kind == "f" else numbers.astype(np.float64)

    def trivial(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Returns the mean of each number."""
        return targets.astype(np.float64).mean(axis=0)

    def losses(self, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """Returns the squared error of each item, mean over its numbers: [items, 1]; there is nothing to smooth."""
        return (outputs - targets.to(outputs.dtype)).square().mean(dim=1, keepdim=True)

    def readable(self, outputs: Tensor) -> Tensor:
        """Returns the numbers."""
        return outputs

    def metrics(self) -> dict[str, Metric]:
        """Returns rmse and mae over all numbers, in their units, and the mean of the numbers' r2."""
        return figures.metrics(self.num_outputs)

    def names(self, target: str) -> tuple[str, ...]:
        """What the numbers of a step are called."""
        return number_names(target, self.shape)

    def columns(self, target: str, found: npt.NDArray[np.float64]) -> dict[str, list[Any]]:
        """Returns `prediction`: a number, or a list of them, an item."""
        return {PREDICTION: (found if self.shape else found[:, 0]).tolist()}

    def __str__(self) -> str:
        return f"{self.num_outputs} numbers" if self.shape else "a number"
