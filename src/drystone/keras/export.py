"""A trained classifier as a plain Keras model, which needs no drystone, and as one `.keras` file that says how to use it."""

import json
import shutil
import zipfile
from itertools import count
from math import ceil, log2
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from drystone.core.storage import whole_file
from drystone.core.trained import LSTMWeights, Trained

ABOUT = "drystone.json"
"""The file within the `.keras` file, which is a zip archive, that says what goes in and comes out."""
FLOAT32 = "float32"
LAST = "channels_last"
OUT_OF_THE_WAY = 4.0  # more than any two outputs of an LSTM differ
NUM_SEEDS = 1 << 31


def save(trained: Trained, path: Path, about: dict[str, Any]) -> None:
    """Writes the model as a `.keras` file, whole or not at all.

    Args:
        trained: the classifier.
        path: ends in .keras; a file there is replaced.
        about: what goes in and comes out, as JSON has it; kept as the file `drystone.json` of the archive.

    Raises:
        RunError: a feature that float32 cannot hold well enough.
    """
    model = build(trained)
    with TemporaryDirectory() as folder, whole_file(path) as partial:
        saved = Path(folder) / "model.keras"
        model.save(saved)
        with zipfile.ZipFile(saved, "a") as archive:
            archive.writestr(ABOUT, json.dumps(about, indent=2) + "\n")
        shutil.copyfile(saved, partial)


def build(trained: Trained) -> keras.Model:
    """Returns a functional model of Keras' own layers, with inputs `x` and `valid` and the weights of the classifier.

    Everything is float32, whatever Keras' policy of types; noise and dropouts act in further training only.
    """
    seeds = (number % NUM_SEEDS for number in count(trained.seed))
    x = keras.Input((None, len(trained.columns)), dtype=FLOAT32, name="x")
    valid = keras.Input((None,), dtype="bool", name="valid")
    values = _standardised(x, trained)
    if trained.noise:
        values = _noisy(values, trained.noise, next(seeds))
    keeps_steps = trained.poolings != ("last",)
    for number, weights in enumerate(trained.lstm):
        is_top = number + 1 == len(trained.lstm)
        layer = _lstm(weights, f"lstm_{number + 1}", return_sequences=keeps_steps or not is_top)
        values = layer(values, mask=valid)
        layer.set_weights([array for found in weights for array in (found.input.T, found.hidden.T, found.bias)])
        if trained.dropout and not is_top:
            values = layers.Dropout(trained.dropout, seed=next(seeds), dtype=FLOAT32)(values)
    if keeps_steps:
        pooled = [_pooled(values, valid, how) for how in trained.poolings]
        values = layers.Concatenate(dtype=FLOAT32)(pooled) if len(pooled) > 1 else pooled[0]
    if trained.head_dropout:
        values = layers.Dropout(trained.head_dropout, seed=next(seeds), dtype=FLOAT32)(values)
    head = layers.Dense(len(trained.head_bias), activation=trained.activation, dtype=FLOAT32, name="probabilities")
    model = keras.Model({"x": x, "valid": valid}, head(values), name="classifier")
    head.set_weights([trained.head.T, trained.head_bias])
    return model


def _standardised(x: Any, trained: Trained) -> Any:
    form = trained.standardising()
    moved = layers.Rescaling(1.0, _per_feature(-form.near), dtype=FLOAT32, name="around_mean")(x)
    return layers.Rescaling(_per_feature(form.scale), _per_feature(form.rest), dtype=FLOAT32, name="standardised")(
        moved
    )


def _noisy(values: Any, noise: float, seed: int) -> Any:
    if noise <= 1:
        return layers.GaussianNoise(noise, seed=seed, dtype=FLOAT32)(values)
    # The layer takes no more than 1, so noise is added in a larger unit; a power of two changes no digit.
    unit = 2.0 ** ceil(log2(noise))
    small = layers.Rescaling(1 / unit, dtype=FLOAT32, name="in_units_of_noise")(values)
    noisy = layers.GaussianNoise(noise / unit, seed=seed, dtype=FLOAT32)(small)
    return layers.Rescaling(unit, dtype=FLOAT32, name="in_units_of_inputs")(noisy)


def _per_feature(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    # With all axes spelt out Rescaling takes them so, also where Keras is set to channels_first.
    return values[None, None, :]


def _lstm(weights: tuple[LSTMWeights, ...], name: str, *, return_sequences: bool) -> Any:
    hidden = weights[0].hidden.shape[1]
    if len(weights) == 1:
        return layers.LSTM(hidden, return_sequences=return_sequences, dtype=FLOAT32, name=name)
    one = layers.LSTM(hidden, return_sequences=return_sequences, dtype=FLOAT32)
    return layers.Bidirectional(one, merge_mode="concat", dtype=FLOAT32, name=name)


def _pooled(values: Any, valid: Any, how: str) -> Any:
    if how == "mean":
        return layers.GlobalAveragePooling1D(LAST, dtype=FLOAT32, name="mean")(values, mask=valid)
    # This pool of Keras takes no mask: 0 is added at real steps, and elsewhere what lies below any output.
    lowered = layers.Rescaling(OUT_OF_THE_WAY, -OUT_OF_THE_WAY, dtype=FLOAT32, name="lowered")(valid)
    lowered = layers.Reshape((-1, 1), dtype=FLOAT32, name="lowered_units")(lowered)
    real = layers.Add(dtype=FLOAT32, name="real_steps")([values, lowered])
    return layers.GlobalMaxPooling1D(LAST, dtype=FLOAT32, name="max")(real)
