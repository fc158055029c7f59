"""Predictions of a classifier, in the order of the sequences."""

from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.torch.batch import TensorBatch
from drystone.train.loaders import prediction_loader
from drystone.train.loop.evaluator import Evaluator, device_of_model
from drystone.train.loop.objective import Outcome
from drystone.train.model import SequenceClassifier


def log_probabilities_of(model: SequenceClassifier, seqs: Sequences) -> npt.NDArray[np.float64]:
    """Returns [sequences, classes], in the order of the sequences.

    Raises:
        DataError: there are no sequences, or one is so far from the training data that the model overflows.
    """
    if not len(seqs):
        raise DataError("there are no sequences to predict.")
    loader = prediction_loader(seqs, model.features, device_of_model(model))
    result = np.zeros((len(seqs), model.head.out_features))
    for batch, outcome in Evaluator(_logits, loader).outcomes(model):
        assert outcome.predictions is not None
        result[batch.host.ends.sequence] = outcome.predictions.cpu().double().log_softmax(dim=1).numpy()
    broken = np.isnan(result).any(axis=1)
    if broken.any():
        raise DataError(
            f"{seqs.place(int(np.argmax(broken)))} holds numbers so far from the training data that the model overflows."
        )
    return result


def _logits(model: nn.Module, batch: TensorBatch, _state: Any) -> Outcome:
    logits = model(batch)
    return Outcome(loss=logits.new_zeros(()), weight=0.0, predictions=logits)
