"""A trained run as a plain Keras model."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from drystone.train.model import SequenceClassifier
from drystone.train.schema import Schema
from drystone.train.settings import Settings

if TYPE_CHECKING:
    from drystone.keras.export import LSTMWeights, Trained


def to_keras(settings: Settings, schema: Schema, model: SequenceClassifier, path: Path) -> dict[str, Any]:
    """Writes the model as a `.keras` file, and returns what the file says of itself.

    Raises:
        MissingExtraError: Keras is not installed.
        DrystoneError: its backend is not.
        RunError: a feature that float32 cannot hold well enough.
    """
    from drystone.keras import export  # here, since training needs no Keras

    return export.save(_trained(settings, schema, model), path)


def _trained(settings: Settings, schema: Schema, model: SequenceClassifier) -> "Trained":
    from drystone.keras.export import Trained

    return Trained(
        columns=schema.features.columns,
        target=schema.target,
        classes=schema.classes,
        mean=_array(model.mean),
        spread=_array(model.spread),
        lstm=tuple(_layer(model, layer) for layer in range(model.lstm.num_layers)),
        poolings=tuple(model.poolings),
        head=_array(model.head.weight),
        head_bias=_array(model.head.bias),
        noise=model.noise,
        dropout=model.lstm.dropout,
        head_dropout=model.dropout.p,
        seed=settings.seed,
    )


def _layer(model: SequenceClassifier, layer: int) -> "tuple[LSTMWeights, ...]":
    from drystone.keras.export import LSTMWeights

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
