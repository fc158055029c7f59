"""Small sequences with numbers, and trainings on them that take no time."""

from dataclasses import replace
from typing import Any

import numpy as np

import drystone as ds
from drystone.train import Run

SMALL: dict[str, Any] = {"epochs": 2, "hidden_size": 5, "progress": False, "learning_rate": 0.02}


def weighed(count: int = 40, seed: int = 0, offset: float = 500.0) -> ds.Sequences:
    """Sequences of two inputs; `kg` is a mean of the first around an offset, `pair` that and a number of other size."""
    rng = np.random.default_rng(seed)
    x = [rng.normal(size=(length, 2)) + rng.normal() for length in rng.integers(1, 9, count)]
    kg = np.array([offset + 30 * found[:, 0].mean() for found in x])
    pair = np.column_stack([kg, [found[:, 1].mean() / 1000 for found in x]])
    per_sequence = {"kg": kg, "pair": pair, "animal": [f"a{number}" for number in range(count)]}
    return replace(ds.Sequences.from_arrays({"x": x}, per_sequence), sequence_id="animal")


def regress(seqs: ds.Sequences, target: str = "kg", **settings: Any) -> Run:
    return ds.fit(seqs, target, **SMALL | settings)


def numbers_said(run: Run, seqs: ds.Sequences) -> np.ndarray[Any, Any]:
    """[sequences, numbers]."""
    table = run.predict(seqs)
    return np.column_stack([table[name] for name in run.task.output_names])
