"""Small models and objectives of people's own, for the tests of the loop."""

from typing import Any

import numpy as np
import torch
from torch import nn

import drystone as ds
from drystone.torch import LSTM, TensorBatch
from drystone.train import Outcome


def random_sequences(lengths: list[int], seed: int = 0, *, dtype: str = "float64") -> ds.Sequences:
    """Sequences of 3 features, with a target a step and one a sequence."""
    rng = np.random.default_rng(seed)
    x = [rng.standard_normal((length, 3)).astype(dtype) for length in lengths]
    y = [rng.standard_normal(length).astype(dtype) for length in lengths]
    return ds.Sequences.from_arrays({"x": x, "y": y}, {"z": rng.standard_normal(len(lengths)).astype(dtype)})


class Tagger(nn.Module):
    """An LSTM with an output a step; it carries the state of rows."""

    def __init__(self, *, dropout: float = 0.0, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        self.lstm = LSTM(3, 5, dtype=dtype)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(5, 1, dtype=dtype)

    def forward(self, batch: TensorBatch, state: Any) -> tuple[torch.Tensor, Any]:
        run = self.lstm.run(batch["x"], batch.grid, state)
        return self.head(self.dropout(run.output))[..., 0], run.state


def by_step(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
    """Squared errors over scored steps; the state goes on to the next batch."""
    outputs, state = model(batch, state)
    predictions, targets = outputs[batch.scored], batch["y"][batch.scored]
    loss = ((predictions - targets) ** 2).sum()
    return Outcome(loss=loss, weight=len(targets), predictions=predictions, targets=targets, state=state)


def by_sequence(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
    """Squared errors of the last output of each sequence, weighted by 1, 2, 1, 2, ..."""
    outputs, _ = model(batch, None)
    weights = torch.as_tensor(1.0 + batch.host.ends.sequence % 2, dtype=outputs.dtype)
    errors = (outputs[batch.ends.row, batch.ends.step] - batch["z"]) ** 2
    return Outcome(loss=(weights * errors).sum(), weight=float(weights.sum()))
