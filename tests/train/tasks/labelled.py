"""Sequences with several labels at once, and with rare classes."""

from typing import Any

import numpy as np
import torch

import drystone as ds
from drystone.train import Run

SMALL: dict[str, Any] = {"epochs": 2, "hidden_size": 4, "progress": False}
NAMES = ("loud", "high", "long")


def labelled(count: int = 40, seed: int = 0) -> ds.Sequences:
    """Labels found from x: `tags` and `loud,high,long` are three yes/no, `way` is a class, the last of three rare."""
    rng = np.random.default_rng(seed)
    x = [rng.normal(size=(length, 2)) + rng.normal(size=2) for length in rng.integers(1, 9, count)]
    tags = np.array([[found[:, 0].mean() > 0, found[:, 1].mean() > 0.7, len(found) > 6] for found in x])
    way = np.array(["cold", "warm", "hot"])[tags[:, 0].astype(int) + (tags[:, 0] & tags[:, 1])]
    each_step = [
        np.where(found[:, 0] > 1, "up", np.where(found[:, 1] > 0, "right", "left")).astype(object) for found in x
    ]
    per_sequence = {"tags": tags, ",".join(NAMES): tags.astype(float), "way": way, "id": np.arange(count)}
    keys = [found > (0.0, 1.0) for found in x]
    return ds.Sequences.from_arrays({"x": x, "word": each_step, "keys": keys}, per_sequence)


def fitted(target: str, seqs: ds.Sequences | None = None, **given: Any) -> Run:
    return ds.fit(labelled() if seqs is None else seqs, target, **{"features": ("x",), **SMALL, **given})


def plain_logits(run: Run, x: np.ndarray[Any, Any]) -> torch.Tensor:
    """One sequence through `nn.LSTM` and the head, in float64: [outputs], or of tags [steps, outputs]."""
    model: Any = run.model
    lstm = torch.nn.LSTM(2, model.lstm.hidden_size, batch_first=True, bidirectional=True, dtype=torch.float64)
    given = dict(model.lstm.named_parameters())
    scaled = (torch.from_numpy(x) - model.mean) / model.spread
    output, _ = torch.func.functional_call(
        lstm, {name: given[name] for name in dict(lstm.named_parameters())}, (scaled[None],)
    )
    return model.head(output[0] if run.settings.task == "tag" else output[0].mean(dim=0))
