"""The layouts that training and prediction run on."""

import numpy as np

from drystone.core.defaults import BATCH_SIZE, NUM_BUCKETS
from drystone.core.layouts import Bucketed, Layout, Packed, Padded
from drystone.core.lengths import Lengths
from drystone.train.settings import Settings

PREDICTION_CELLS = 1 << 14  # enough to keep kernels busy, and little memory at any hidden size


def training_layout(settings: Settings) -> Layout:
    """Returns the layout that the settings ask for."""
    batch_size = settings.batch_size or BATCH_SIZE
    if settings.layout == "bucketed":
        buckets = settings.num_buckets or NUM_BUCKETS
        if settings.cells is not None:
            return Bucketed(num_buckets=buckets, cells=settings.cells)
        return Bucketed(num_buckets=buckets, batch_size=batch_size)
    if settings.layout == "packed":
        if settings.rows is not None:
            return Packed(rows=settings.rows, steps=settings.steps)
        return Packed(sequences=batch_size, steps=settings.steps)
    return Padded(batch_size)


def prediction_layout(lengths: Lengths) -> Layout:
    """Returns a layout with little padding and bounded memory; predictions do not depend on it."""
    return Bucketed(num_buckets=16, cells=max(PREDICTION_CELLS, int(np.max(lengths))), order="given")
