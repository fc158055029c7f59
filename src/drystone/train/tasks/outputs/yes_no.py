"""Several yes/no an item."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from torch import Tensor
from torch.nn import functional
from torchmetrics import Metric
from torchmetrics.classification import BinaryJaccardIndex, MultilabelExactMatch, MultilabelF1Score

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.train.tasks.number_names import number_names
from drystone.train.tasks.outputs.outputs import PREDICTION, refuse_first
from drystone.train.tasks.outputs.shaped import Shaped, check_shape, shape_of

HALF = 0.5


@dataclass(frozen=True, slots=True)
class YesNo(Shaped):
    """Several answers an item: binary cross-entropy, summed over them, which is the negative log-likelihood of an item.

    A yes is said above a probability of 0.5. The figures beside the loss are the accuracy, the share of items whose answers
    are all right; the frame accuracy of polyphonic music, Σ true yes ÷ Σ (true yes + false yes + false no) (Bay, Ehmann and
    Downie 2009; Boulanger-Lewandowski, Bengio and Vincent 2012); and F1, as the mean of that of each answer, and of all
    answers together.

    """

    kind: ClassVar[str] = "yes/no"
    baseline: ClassVar[str] = "marginal"
    activation: ClassVar[str] = "sigmoid"
    prediction_type: ClassVar[pa.DataType | None] = pa.list_(pa.string())

    @classmethod
    def of(cls, seqs: Sequences, target: str) -> "YesNo":
        """Returns as many answers as an item of the target has."""
        shape, values = shape_of(seqs, target), seqs.field(target).values
        if (values == values[0]).all():
            raise DataError(
                f"all answers of target {target!r} are always the same, so there is nothing to learn. Take another target, or "
                f"add data where they differ."
            )
        return cls(shape)

    def choices(self, target: str) -> Mapping[str, tuple[int, int]]:
        """Returns the yes of each answer, by the name of the answer."""
        return {name: (number, 1) for number, name in enumerate(number_names(target, self.shape))}

    def check(self, seqs: Sequences, target: str) -> None:
        """Proves that all are 0 or 1."""
        check_shape(seqs, target, self.shape)
        values = seqs.field(target).values
        known = is_yes_no(values).reshape(len(values), -1)
        refuse_first(
            np.asarray((~known).any(axis=1)), seqs, target, "; the model learned yes/no, so expected 0 and 1, or bools."
        )

    def encoded(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Returns [items, answers] 0 or 1."""
        return (values == 1).astype(np.uint8).reshape(len(values), -1)

    def trivial(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Returns the logit of the share of yes of each answer; half a yes and half a no more, so that none is certain."""
        count = targets.sum(axis=0, dtype=np.float64)
        return np.log((count + 0.5) / (len(targets) - count + 0.5))

    def losses(self, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """Returns the binary cross-entropy of each answer; smoothed, a target lies nearer to 0.5."""
        smoothed = targets.to(outputs.dtype) * (1 - label_smoothing) + label_smoothing / 2
        return functional.binary_cross_entropy_with_logits(outputs, smoothed, reduction="none")

    def readable(self, outputs: Tensor) -> Tensor:
        """Returns the probability of each yes."""
        return outputs.sigmoid()

    def metrics(self) -> dict[str, Metric]:
        """Returns accuracy, frame accuracy, which is the Jaccard index of all answers, and F1 in its two ways."""
        count = self.num_outputs
        return {
            "accuracy": MultilabelExactMatch(count, validate_args=False),
            "frame_accuracy": BinaryJaccardIndex(validate_args=False),
            "f1": MultilabelF1Score(count, average="macro", validate_args=False),
            "micro_f1": MultilabelF1Score(count, average="micro", validate_args=False),
        }

    def names(self, target: str) -> tuple[str, ...]:
        """p_NAME of each answer, the probability of its yes."""
        return tuple(f"p_{name}" for name in number_names(target, self.shape))

    def columns(self, target: str, found: npt.NDArray[np.float64]) -> dict[str, list[Any]]:
        """Returns `prediction`, the names of the answers that are yes, a list an item, and p_NAME of every answer."""
        names = np.array(number_names(target, self.shape), dtype=object)
        columns: dict[str, list[Any]] = {PREDICTION: [names[is_yes].tolist() for is_yes in found > HALF]}
        return columns | {name: values.tolist() for name, values in zip(self.names(target), found.T, strict=True)}

    def __str__(self) -> str:
        return f"{self.num_outputs} yes/no"


def is_yes_no(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Returns which values are 0 or 1, false or true."""
    return (values == 0) | (values == 1)
