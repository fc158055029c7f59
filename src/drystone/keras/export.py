"""A trained classifier as a plain Keras model, which needs no drystone, and as one `.keras` file that says how to use it."""

import json
import shutil
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count
from math import ceil, log2
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from drystone.core.errors import RunError
from drystone.core.storage import whole_file

ABOUT = "drystone.json"
"""The file within the `.keras` file, which is a zip archive, that says what goes in and comes out."""
FLOAT32 = "float32"
LAST = "channels_last"
LARGEST_ROUNDING = 1e-3  # of a feature's standard deviation, when its mean becomes float32
SMALLEST_SPREAD, LARGEST_SPREAD = 1e-30, 1e30
OUT_OF_THE_WAY = 4.0  # more than any two outputs of an LSTM differ
NUM_SEEDS = 1 << 31

Floats = npt.NDArray[np.floating[Any]]
Label = str | int | bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LSTMWeights:
    """The weights of one direction of one layer; gates in the order i, f, g, o.

    Args:
        input: [4 × hidden, features].
        hidden: [4 × hidden, hidden].
        bias: [4 × hidden].
    """

    input: Floats
    hidden: Floats
    bias: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """A trained classifier of sequences, as plain arrays and settings.

    Args:
        columns: the names of the numbers of one step.
        target: what it predicts.
        classes: what the outputs stand for, in order.
        mean, spread: [features], what inputs are standardised with.
        lstm: the weights of each layer, one a direction.
        poolings: "last" alone, or any of "mean" and "max"; they lie side by side before the head.
        head: [classes, width].
        head_bias: [classes].
        noise: standard deviation of the noise on standardised inputs, in training.
        dropout: fraction dropped between layers, in training.
        head_dropout: fraction dropped before the head, in training.
        seed: of noise and dropout.
    """

    columns: tuple[str, ...]
    target: str
    classes: tuple[Label, ...]
    mean: Floats
    spread: Floats
    lstm: tuple[tuple[LSTMWeights, ...], ...]
    poolings: tuple[str, ...]
    head: Floats
    head_bias: Floats
    noise: float
    dropout: float
    head_dropout: float
    seed: int


def save(trained: Trained, path: Path) -> dict[str, Any]:
    """Writes the model as a `.keras` file, whole or not at all; returns what the file says of itself.

    That is JSON, in the file `drystone.json` of the archive: inputs, columns, classes.

    Args:
        trained: the classifier.
        path: ends in .keras; a file there is replaced.

    Raises:
        RunError: a feature that float32 cannot hold well enough.
    """
    model, about = build(trained), describe(trained)
    with TemporaryDirectory() as folder, whole_file(path) as partial:
        saved = Path(folder) / "model.keras"
        model.save(saved)
        with zipfile.ZipFile(saved, "a") as archive:
            archive.writestr(ABOUT, json.dumps(about, indent=2) + "\n")
        shutil.copyfile(saved, partial)
    return about


def describe(trained: Trained) -> dict[str, Any]:
    """Returns what a user of the model must know, as JSON has it."""
    return {
        "drystone": version("drystone"),
        "target": trained.target,
        "classes": list(trained.classes),
        "inputs": {
            "x": {
                "dtype": FLOAT32,
                "shape": ["rows", "steps", len(trained.columns)],
                "columns": list(trained.columns),
                "means": "the features in the units of the training data; the model standardises them itself",
            },
            "valid": {
                "dtype": "bool",
                "shape": ["rows", "steps"],
                "means": "true at real steps, which come first in each row; every row has one or more",
            },
        },
        "output": {
            "dtype": FLOAT32,
            "shape": ["rows", len(trained.classes)],
            "means": "the probability of each class",
        },
    }


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
    head = layers.Dense(len(trained.classes), activation="softmax", dtype=FLOAT32, name="probabilities")
    model = keras.Model({"x": x, "valid": valid}, head(values), name="classifier")
    head.set_weights([trained.head.T, trained.head_bias])
    return model


def _standardised(x: Any, trained: Trained) -> Any:
    """Takes the mean away in two parts, so that large numbers with small differences keep their digits."""
    _check_range(trained)
    near = trained.mean.astype(np.float32)
    scale = 1 / trained.spread
    rest = -(trained.mean - near) * scale
    moved = layers.Rescaling(1.0, _per_feature(-near), dtype=FLOAT32, name="around_mean")(x)
    return layers.Rescaling(_per_feature(scale), _per_feature(rest), dtype=FLOAT32, name="standardised")(moved)


def _noisy(values: Any, noise: float, seed: int) -> Any:
    if noise <= 1:
        return layers.GaussianNoise(noise, seed=seed, dtype=FLOAT32)(values)
    # The layer takes no more than 1, so noise is added in a larger unit; a power of two changes no digit.
    unit = 2.0 ** ceil(log2(noise))
    small = layers.Rescaling(1 / unit, dtype=FLOAT32, name="in_units_of_noise")(values)
    noisy = layers.GaussianNoise(noise / unit, seed=seed, dtype=FLOAT32)(small)
    return layers.Rescaling(unit, dtype=FLOAT32, name="in_units_of_inputs")(noisy)


def _per_feature(values: Floats) -> npt.NDArray[np.float32]:
    # With all axes spelt out Rescaling takes them so, also where Keras is set to channels_first.
    return values.astype(np.float32)[None, None, :]


def _check_range(trained: Trained) -> None:
    """Raises RunError for the first feature that loses too much when it becomes float32."""
    rounding = np.abs(trained.mean) * np.finfo(np.float32).epsneg / trained.spread
    held = (trained.spread >= SMALLEST_SPREAD) & (trained.spread <= LARGEST_SPREAD) & (rounding <= LARGEST_ROUNDING)
    if held.all():
        return
    at = int(np.argmin(held))
    raise RunError(
        f"feature {trained.columns[at]!r} has mean {trained.mean[at]:.6g} and standard deviation "
        f"{trained.spread[at]:.3g}: a Keras model takes float32, which cannot tell such numbers apart well enough. "
        f"Subtract a constant from it, or multiply it by one, in the data, and train again."
    )


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
