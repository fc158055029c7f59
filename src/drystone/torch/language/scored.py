"""Values at the cells that count."""

import numpy as np
from torch import Tensor

from drystone.torch.batch import TensorBatch
from drystone.torch_ops.arrangement import to_device


def at_scored(values: Tensor, batch: TensorBatch) -> Tensor:
    """Returns the values at scored cells, [scored, ...] of [rows, steps, ...], row after row; a copy only where it must be."""
    scored, flat = batch.host.scored, values.flatten(0, 1)
    return flat if scored.all() else flat.index_select(0, to_device(np.flatnonzero(scored), values.device))
