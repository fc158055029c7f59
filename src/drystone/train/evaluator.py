"""Predictions and sums over sums, whatever the layout."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from drystone.core.errors import DataError
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


def log_probabilities_of(model: SequenceClassifier, seqs: Sequences, device: torch.device) -> npt.NDArray[np.float64]:
    """Returns [sequences, classes], in the order of the sequences; the model's mode is left as it was.

    Raises:
        DataError: there are no sequences, or one is so far from the training data that the model overflows.
    """
    if not len(seqs):
        raise DataError("there are no sequences to predict.")
    was_training = model.training
    model.eval()
    loader = Loader(seqs, prediction_layout(seqs.lengths), fields=model.features.names)
    result = np.zeros((len(seqs), model.head.out_features))
    with torch.inference_mode():
        for batch in batches(loader, device):
            result[batch.host.ends.sequence] = model(batch).double().log_softmax(dim=1).cpu().numpy()
    model.train(was_training)
    broken = np.isnan(result).any(axis=1)
    if broken.any():
        raise DataError(
            f"{seqs.place(int(np.argmax(broken)))} holds numbers so far from the training data that the model overflows."
        )
    return result


def score(log_probabilities: npt.NDArray[np.float64], codes: npt.NDArray[np.int64]) -> Scores:
    """Returns the mean negative log-likelihood and the accuracy of predictions.

    Args:
        log_probabilities: [sequences, classes].
        codes: [sequences] the true classes.
    """
    return Scores(
        sequences=len(codes),
        loss=float(-log_probabilities[np.arange(len(codes)), codes].mean()),
        accuracy=float((log_probabilities.argmax(axis=1) == codes).mean()),
    )
