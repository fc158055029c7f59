"""A trained model as a plain PyTorch module."""

from typing import Any

import torch

from drystone.train.export.plain_torch import Classifier
from drystone.train.tasks.sequence.model import SequenceModel


def arguments_of(model: SequenceModel) -> dict[str, Any]:
    """Returns the arguments of `Classifier` for a model of this form."""
    return {
        "num_features": len(model.mean),
        "num_classes": model.head.out_features,
        "hidden_size": model.lstm.hidden_size,
        "num_layers": model.lstm.num_layers,
        "bidirectional": model.lstm.bidirectional,
        "pooling": "+".join(model.poolings),
        "dropout": model.lstm.dropout,
        "head_dropout": model.dropout.fraction,
        "noise": model.noise,
    }


def plain_of(model: SequenceModel) -> Classifier:
    """Returns the same classifier with `nn.LSTM`, on the CPU in eval mode; where the model lies there, they share weights."""
    with torch.device("meta"):  # takes neither room nor random numbers
        plain = Classifier(**arguments_of(model))
    plain.load_state_dict({name: value.cpu() for name, value in model.state_dict().items()}, assign=True)
    return plain.eval()
