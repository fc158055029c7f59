"""A trained model as plain arrays."""

from typing import Any

import torch
from torch import Tensor

from drystone.core.trained import LSTMWeights, Trained
from drystone.train.export.format import Source
from drystone.train.tasks.sequence.model import SequenceModel


def arrays_of(source: Source) -> Trained:
    """Returns the weights and settings of a trained model, in float64 on the host."""
    model = source.classifier
    return Trained(
        columns=source.schema.features.columns,
        mean=_array(model.mean),
        spread=_array(model.spread),
        lstm=tuple(_layer(model, layer) for layer in range(model.lstm.num_layers)),
        poolings=tuple(model.poolings),
        head=_array(model.head.weight),
        head_bias=_array(model.head.bias),
        activation=model.outputs.activation,
        noise=model.noise,
        dropout=model.lstm.dropout,
        head_dropout=model.dropout.fraction,
        seed=source.settings.seed,
    )


def _layer(model: SequenceModel, layer: int) -> tuple[LSTMWeights, ...]:
    state = {name: _array(value) for name, value in model.lstm.named_parameters()}
    return tuple(
        LSTMWeights(
            input=state[f"weight_ih{suffix}"],
            hidden=state[f"weight_hh{suffix}"],
            bias=state[f"bias_ih{suffix}"] + state[f"bias_hh{suffix}"],
        )
        for suffix in model.lstm.sizes.suffixes(layer)
    )


def _array(values: Tensor) -> Any:
    return values.detach().to("cpu", torch.float64).numpy()
