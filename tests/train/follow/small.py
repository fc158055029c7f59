"""A small model of streams, and what it gives a stream that is alone."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from drystone.torch import LSTM, StatefulPredictor
from drystone.train.features.feature import Feature, Features
from drystone.train.follow.follower import Clock, Follower

FEATURES = Features((Feature(name="x", shape=(2,)),))


def model() -> LSTM:
    torch.manual_seed(0)
    return Fragile(2, 3, num_layers=2, dtype=torch.float64)


class Fragile(LSTM):
    """Overflows where an input is above 1,000."""

    def forward(self, x: torch.Tensor, *others: Any, **named: Any) -> Any:
        output, state = super().forward(x, *others, **named)
        return output.masked_fill((x > 1000).any(dim=2, keepdim=True), torch.nan), state


def columns(outputs: npt.NDArray[Any]) -> Mapping[str, Sequence[Any]]:
    return {"h": outputs.tolist()}


def follower(**bounds: Any) -> tuple[Follower, StatefulPredictor]:
    clock = Clock()
    predictor = StatefulPredictor(model(), clock=clock, **bounds)
    return Follower(predictor, FEATURES, columns, clock), predictor


def line(stream: str, x: Any, **others: Any) -> bytes:
    return json.dumps({"stream": stream, "x": x, **others}).encode()


def alone(steps: Sequence[Any]) -> npt.NDArray[np.float64]:
    with torch.no_grad():
        return model()(torch.tensor(np.array(steps, dtype=np.float64))[None])[0][0].numpy()
