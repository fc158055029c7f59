"""Small runs to export, and their own probabilities."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import drystone as ds

Array = np.ndarray[Any, Any]
LENGTHS = (5, 1, 9, 2, 7, 3, 9, 4)
CLASSES = ["left", "right", "up"]
LABELS = ["tags[0]", "tags[1]"]
TOLERANCE = 2e-6  # of probabilities in float32


def some_data(lengths: Sequence[int] = LENGTHS, seed: int = 0) -> ds.Sequences:
    """Steps of all zeros that are real, one feature of two numbers, and one of large numbers with small differences."""
    rng = np.random.default_rng(seed)
    pairs = [np.round(rng.normal(size=(length, 2)), 2) for length in lengths]
    for pair in pairs[::2]:
        pair[[0, -1]] = 0.0  # at the start and at the end
    large = [4096 + rng.integers(-200, 200, length) / 256 for length in lengths]
    labels = [CLASSES[number % 3] for number in range(len(lengths))]
    return ds.Sequences.from_arrays({"pair": pairs, "large": large}, {"way": labels})


def trained(seqs: ds.Sequences, folder: Path, **settings: Any) -> ds.Run:
    usual: dict[str, Any] = {
        "epochs": 30,
        "hidden_size": 5,
        "test_fraction": 0.0,
        "device": "cpu",
        "progress": False,
    }
    return ds.fit(seqs, "way", out=folder, learning_rate=0.1, **usual | settings)


def padded(seqs: ds.Sequences, filler: float, more_steps: int = 0) -> Array:
    """All sequences in one batch, float32 [rows, steps, 3], as a user without drystone would make it."""
    x = np.full((len(seqs), int(seqs.lengths.max()) + more_steps, 3), filler, "float32")
    for row, found in enumerate(seqs):
        x[row, : seqs.lengths[row]] = np.column_stack([found["pair"], found["large"]])
    return x


def trained_on_labels(folder: Path) -> ds.Run:
    """A run of two labels at once."""
    seqs = some_data()
    tags = [[number % 2, number % 3 == 0] for number in range(len(seqs))]
    arrays = {name: [found[name] for found in seqs] for name in ("pair", "large")}
    both = ds.Sequences.from_arrays(arrays, {"tags": tags})
    settings: dict[str, Any] = {"epochs": 30, "hidden_size": 5, "test_fraction": 0.0, "learning_rate": 0.1}
    return ds.fit(both, "tags", out=folder, device="cpu", progress=False, **settings)


def own_probabilities(run: ds.Run, seqs: ds.Sequences, names: Sequence[str] = CLASSES) -> Array:
    found = run.predict(seqs)
    return np.column_stack([found[f"p_{name}"] for name in names])
