"""The model: standardised features, an LSTM over the grid, a pool by sequence, a linear head."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor, nn

from drystone.torch.batch import TensorBatch
from drystone.torch.lstm import LSTM
from drystone.torch.pool import How, pool
from drystone.train.features import Features
from drystone.train.settings import Settings


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What the shape of a model depends on."""

    features: Features
    num_classes: int
    settings: Settings


class SequenceClassifier(nn.Module):
    """Logits of the classes, one row a sequence that ends in the batch."""

    mean: Tensor
    spread: Tensor

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        settings = spec.settings
        self.features = spec.features
        self.poolings = cast("list[How]", settings.pooling.split("+"))
        self.noise = settings.noise
        self.register_buffer("mean", torch.zeros(spec.features.size, dtype=torch.float64))
        self.register_buffer("spread", torch.ones(spec.features.size, dtype=torch.float64))
        self.lstm = LSTM(
            spec.features.size,
            settings.hidden_size,
            settings.num_layers,
            dropout=settings.dropout if settings.num_layers > 1 else 0.0,
            bidirectional=settings.bidirectional,
        )
        width = settings.hidden_size * (2 if settings.bidirectional else 1)
        self.dropout = nn.Dropout(settings.head_dropout)
        self.head = nn.Linear(width * len(self.poolings), spec.num_classes)
        if settings.precision == "64-true":
            self.double()

    def set_statistics(self, mean: npt.NDArray[np.float64], spread: npt.NDArray[np.float64]) -> None:
        """Sets what inputs are standardised with; it is saved with the weights."""
        self.mean.copy_(torch.from_numpy(mean))
        self.spread.copy_(torch.from_numpy(spread))

    def forward(self, batch: TensorBatch) -> Float[Tensor, "sequences classes"]:
        """Returns the logits, in the order of `batch.ends`."""
        # In float64, so that large numbers with small differences (times, prices) keep their digits.
        x = ((self.features.matrix(batch) - self.mean) / self.spread).to(self.head.weight.dtype)
        if self.training and self.noise:
            x = x + self.noise * torch.randn_like(x)
        run = self.lstm.run(x, batch.grid)
        both = self.lstm.bidirectional
        pooled = torch.cat([pool(run.output, batch.grid, how, bidirectional=both) for how in self.poolings], dim=1)
        return self.head(self.dropout(pooled))
