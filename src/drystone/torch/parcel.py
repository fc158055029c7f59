"""A batch on its way from one process to another."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from drystone.core.batch import Batch
from drystone.core.grid import Bools, Grid, Spans


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parcel:
    """What a batch is made of: values a step as tensors, which travel in shared memory, and the small rest as it is.

    Args:
        shape: the rows and steps of the grid.
        spans: its spans; the masks follow from them.
        step_fields: as in the batch; numbers as tensors.
        span_fields: as in the batch.
        scored: as in the batch.
        epoch: as in the batch.
    """

    shape: tuple[int, int]
    spans: Spans
    step_fields: dict[str, Any]
    span_fields: dict[str, Any]
    scored: Bools
    epoch: int

    @classmethod
    def of(cls, batch: Batch) -> "Parcel":
        """Packs a batch without a copy."""
        return cls(
            shape=batch.shape,
            spans=batch.spans,
            step_fields={
                name: torch.from_numpy(values) if values.dtype.kind in "fiub" else values
                for name, values in batch.step_fields.items()
            },
            span_fields=dict(batch.span_fields),
            scored=batch.scored,
            epoch=batch.epoch,
        )

    def batch(self) -> Batch:
        """Unpacks the batch, again without a copy."""
        return Batch(
            grid=Grid.from_spans(*self.shape, self.spans),
            step_fields={name: np.asarray(values) for name, values in self.step_fields.items()},
            span_fields=self.span_fields,
            scored=self.scored,
            epoch=self.epoch,
        )
