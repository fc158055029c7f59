"""Predictions and sums over sums, whatever the layout."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from drystone.core.loader import Loader
from drystone.core.sequences import Sequences
from drystone.torch.batch import batches
from drystone.train.layouts import prediction_layout
from drystone.train.model import SequenceClassifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Figures over all sequences of one part."""

    sequences: int
    loss: float
    accuracy: float

    def to_dict(self) -> dict[str, Any]:
        return {"sequences": self.sequences, "loss": self.loss, "accuracy": self.accuracy}


def probabilities_of(model: SequenceClassifier, seqs: Sequences, device: torch.device) -> npt.NDArray[np.float32]:
    """Returns [sequences, classes], in the order of the sequences; the model's mode is left as it was."""
    was_training = model.training
    model.eval()
    loader = Loader(seqs, prediction_layout(seqs.lengths), fields=model.features.names)
    result = np.zeros((len(seqs), model.head.out_features), dtype=np.float32)
    with torch.inference_mode():
        for batch in batches(loader, device):
            result[batch.host.ends.sequence] = model(batch).softmax(dim=1).cpu().numpy()
    model.train(was_training)
    return result


def score(probabilities: npt.NDArray[np.float32], codes: npt.NDArray[np.int64]) -> Scores:
    """Returns the mean negative log-likelihood and the accuracy of predictions.

    Args:
        probabilities: [sequences, classes].
        codes: [sequences] the true classes.
    """
    chosen = probabilities[np.arange(len(codes)), codes].astype(np.float64)
    smallest = float(np.finfo(np.float32).tiny)
    return Scores(
        sequences=len(codes),
        loss=float(-np.log(np.maximum(chosen, smallest)).mean()),
        accuracy=float((probabilities.argmax(axis=1) == codes).mean()),
    )
