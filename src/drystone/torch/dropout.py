"""Variational dropout over a grid: the same units of a layer's inputs are dropped at every step of a sequence.

Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks", 2016; here on the
inputs of each layer, which leaves the recurrence to the kernels.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from drystone.core.dropout import kept_units
from drystone.core.grid import Grid
from drystone.torch_ops.arrangement import to_device


class DropoutSettings(NamedTuple):
    """What dropout by sequence depends on, beside the grid and the epoch."""

    fraction: float
    seed: int
    features: tuple[int, ...]
    """Of the inputs of each layer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SequenceDropout:
    """Which inputs each span of a grid keeps, layer by layer.

    Args:
        kept: of each layer, bool [spans + 1, features]; the last one stands for padding.
        span: int64 [rows, steps], the span in each cell.
        settings: what it was made for.
    """

    kept: tuple[Tensor, ...]
    span: Tensor
    settings: DropoutSettings

    def apply(self, values: Tensor, layer: int) -> Tensor:
        """Drops from the inputs of a layer, [rows, steps, features]; what is kept grows, so that the mean stays."""
        scale = 1.0 / (1.0 - self.settings.fraction)
        return torch.where(self.kept[layer][self.span], values * scale, 0.0)


def sequence_dropout(grid: Grid, device: torch.device, settings: DropoutSettings, epoch: int) -> SequenceDropout:
    """Returns the dropout of a grid in an epoch, as `core.dropout.kept_units` has it."""
    spans = grid.spans
    sequences = np.append(spans.sequence, 0)
    span = np.full(grid.num_rows * grid.num_steps, len(spans), dtype=np.int64)
    span[grid.cells] = np.repeat(np.arange(len(spans)), spans.length)
    kept = [
        kept_units(sequences, layer, features, fraction=settings.fraction, seed=settings.seed, epoch=epoch)
        for layer, features in enumerate(settings.features)
    ]
    return SequenceDropout(
        kept=tuple(to_device(part, device) for part in kept),
        span=to_device(span.reshape(grid.num_rows, grid.num_steps), device),
        settings=settings,
    )
