"""Small series, and trainings on them that take no time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import drystone as ds
from drystone.train import Run

SMALL: dict[str, Any] = {"epochs": 2, "hidden_size": 5, "progress": False, "learning_rate": 0.02}
ROWS: dict[str, Any] = {"rows": 3, "steps": 4}


def waves(lengths: Sequence[int] = (90,), seed: int = 0) -> ds.Sequences:
    """Waves around 1000 with a little noise, and a second measurement; `time` rises by 2, `pump` names them."""
    rng = np.random.default_rng(seed)
    at = [np.arange(length) + 40 * number for number, length in enumerate(lengths)]
    per_step = {
        "y": [1000 + 50 * np.sin(steps / 3) + rng.normal(size=len(steps)) for steps in at],
        "z": [np.cos(steps / 3) for steps in at],
        "time": [2 * steps for steps in at],
    }
    seqs = ds.Sequences.from_arrays(per_step, {"pump": [f"p{number}" for number in range(len(lengths))]})
    return replace(seqs, order_by="time", sequence_id="pump")


def stacked(lengths: Sequence[int] = (90,), seed: int = 0) -> ds.Sequences:
    """The same with both measurements as one field "y,z" of [steps, 2], and a third, `u`, beside it."""
    found = list(waves(lengths, seed))
    per_step = {
        "y,z": [np.column_stack([each["y"], each["z"] / 100]) for each in found],
        "u": [each["y"] ** 2 for each in found],
        "time": [each["time"] for each in found],
    }
    seqs = ds.Sequences.from_arrays(per_step, {"pump": [each["pump"] for each in found]})
    return replace(seqs, order_by="time", sequence_id="pump")


def forecast(seqs: ds.Sequences, **settings: Any) -> Run:
    return ds.fit(seqs, **{"target": "y", "task": "forecast", "horizon": 3, **SMALL, **settings})


def naive_loop(values: np.ndarray[Any, Any], season: int | None, horizon: int) -> np.ndarray[Any, Any]:
    """[steps, horizon, numbers]: the last value, or the one a season before where there is one, of one series."""
    values = values.reshape(len(values), -1).astype(float)
    found = np.zeros((len(values), horizon, values.shape[1]))
    for step in range(len(values)):
        for ahead in range(1, horizon + 1):
            seasons = 1
            while season is not None and step + ahead - seasons * season > step:
                seasons += 1
            at = step if season is None else step + ahead - seasons * season
            found[step, ahead - 1] = values[at] if at >= 0 else values[step]
    return found


def forecasts_of(run: Run, seqs: ds.Sequences) -> np.ndarray[Any, Any]:
    """[steps of all sequences, horizon]."""
    table = run.predict(seqs)
    return np.column_stack([table[name] for name in run.task.output_names])
