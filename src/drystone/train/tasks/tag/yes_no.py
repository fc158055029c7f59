"""Several yes/no a step."""

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.nn import functional
from torchmetrics import Metric
from torchmetrics.classification import BinaryJaccardIndex

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.train.tasks.tag.outputs import Outputs, refuse_first, shape_of


@dataclass(frozen=True, slots=True)
class YesNo(Outputs):
    """Several answers a step: binary cross-entropy, summed over them, which is the negative log-likelihood of a step.

    The figure beside it is the frame accuracy of polyphonic music, Σ true yes ÷ Σ (true yes + false yes + false no) at a
    threshold of 0.5 (Bay, Ehmann and Downie 2009; Boulanger-Lewandowski, Bengio and Vincent 2012).

    Args:
        shape: of a step of the target.
    """

    shape: tuple[int, ...]
    kind: ClassVar[str] = "yes/no"
    baseline: ClassVar[str] = "marginal"

    @classmethod
    def of(cls, seqs: Sequences, target: str) -> "YesNo":
        """Returns as many answers as a step of the target has."""
        return cls(shape_of(seqs, target))

    @classmethod
    def from_plain(cls, plain: Any) -> "YesNo":
        """Returns what `to_plain` wrote."""
        return cls(tuple(plain))

    def to_plain(self) -> list[int]:
        """Returns the shape."""
        return list(self.shape)

    @property
    def num_outputs(self) -> int:
        """One an answer."""
        return prod(self.shape)

    @property
    def target_shape(self) -> tuple[int, ...]:
        """One number an answer, side by side."""
        return (self.num_outputs,)

    def check(self, seqs: Sequences, target: str) -> None:
        """Proves that all are 0 or 1."""
        if shape_of(seqs, target) != self.shape:
            raise DataError(
                f"a step of target {target!r} has shape {shape_of(seqs, target)}; the model says {self.shape}."
            )
        known = is_yes_no(seqs.field(target).values).reshape(seqs.num_steps, -1)
        refuse_first(
            np.asarray((~known).any(axis=1)), seqs, target, "; the model learned yes/no, so expected 0 and 1, or bools."
        )

    def encoded(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Returns [steps, answers] 0 or 1."""
        return (values == 1).astype(np.uint8).reshape(len(values), -1)

    def trivial(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Returns the logit of the share of yes of each answer; half a yes and half a no more, so that none is certain."""
        count = targets.sum(axis=0, dtype=np.float64)
        return np.log((count + 0.5) / (len(targets) - count + 0.5))

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Returns the binary cross-entropy of each cell, summed over its answers."""
        targets = targets.to(outputs.dtype)
        return functional.binary_cross_entropy_with_logits(outputs, targets, reduction="none").sum(dim=1)

    def readable(self, outputs: Tensor) -> Tensor:
        """Returns the probability of each yes."""
        return outputs.sigmoid()

    def metrics(self) -> dict[str, Metric]:
        """Returns the frame accuracy; it is the Jaccard index of all answers."""
        return {"frame_accuracy": BinaryJaccardIndex(validate_args=False)}

    def names(self, target: str) -> tuple[str, ...]:
        """p_TARGET[0] and so on, the probability of each yes."""
        return tuple(f"p_{target}[{', '.join(map(str, at))}]" for at in np.ndindex(self.shape))

    def columns(self, target: str, found: npt.NDArray[np.float64]) -> dict[str, list[Any]]:
        """Returns `prediction`: the probability of each yes, a list a step."""
        return {"prediction": found.tolist()}

    def __str__(self) -> str:
        return f"{self.num_outputs} yes/no"


def is_yes_no(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Returns which values are 0 or 1, false or true."""
    return (values == 0) | (values == 1)
