"""What a classifier is trained on, and measured by."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional
from torchmetrics import Metric
from torchmetrics.classification import MulticlassAccuracy

from drystone.torch.batch import TensorBatch
from drystone.train.loop.objective import Outcome


class CrossEntropy:
    """Cross-entropy of the sequences that end in a batch, each of weight 1.

    Args:
        codes: [sequences] the number of the class of each.
        label_smoothing: share of each target that is spread over all classes.
    """

    def __init__(self, codes: npt.NDArray[np.int64], label_smoothing: float = 0.0) -> None:
        self._codes = torch.from_numpy(codes)
        self._label_smoothing = label_smoothing

    def __call__(self, model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        logits = model(batch)
        targets = self._codes[batch.host.ends.sequence].to(logits.device, non_blocking=True)
        loss = functional.cross_entropy(logits, targets, label_smoothing=self._label_smoothing, reduction="sum")
        return Outcome(loss=loss, weight=len(targets), predictions=logits, targets=targets)


def logits_only(model: nn.Module, batch: TensorBatch, _state: Any) -> Outcome:
    """Predicts, where no class is known."""
    logits = model(batch)
    return Outcome(loss=logits.new_zeros(()), weight=0.0, predictions=logits)


def metrics(num_classes: int) -> dict[str, Metric]:
    """Returns what is told of a classifier beside its loss."""
    return {"accuracy": MulticlassAccuracy(num_classes, average="micro", validate_args=False)}
