"""Models with states of several kinds, a clock that stands still, and what a stream gets alone."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from drystone.torch import LSTM

FEATURES = 3


class Recurrent(nn.Module):
    """A state in a dict: a mean of what came, and a list of tensors of several axes."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.linspace(0.5, 1.5, FEATURES, dtype=torch.float64))
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        if state is None:
            state = {"sum": x.new_zeros(2, len(x), FEATURES), "counts": [x.new_zeros(1, len(x), 1, dtype=torch.int64)]}
        total, (count,) = state["sum"], state["counts"]
        outputs = []
        for step in x.unbind(1):
            total = torch.tanh(total + step * self.gain)
            count = count + 1
            outputs.append(self.dropout(total[1] / count[0]))
        return torch.stack(outputs, 1), {"counts": [count], "sum": total}


def make(kind: str) -> nn.Module:
    """Returns a model of float64."""
    torch.manual_seed(0)
    if kind == "lstm":
        return LSTM(FEATURES, 4, 2, dtype=torch.float64)
    if kind == "gru":
        return nn.GRU(FEATURES, 4, batch_first=True, dtype=torch.float64)
    return Recurrent()


KINDS = ["lstm", "gru", "nest"]


class Clock:
    """Seconds that pass only when told so."""

    def __init__(self) -> None:
        self.seconds = 1e9

    def __call__(self) -> float:
        return self.seconds


def alone(model: Callable[..., Any], steps: Sequence[Any]) -> Tensor:
    """Returns the outputs of one pass over the steps of one stream, [steps, ...]."""
    x = torch.as_tensor(np.array(steps, dtype=np.float64))[None]
    with torch.no_grad():
        return model(x, None)[0][0]
