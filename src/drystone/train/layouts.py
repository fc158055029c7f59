"""The layouts that training and prediction run on."""

import numpy as np

from drystone.core.defaults import BATCH_SIZE, CARRIED_STEPS, NUM_BUCKETS
from drystone.core.layouts import Bucketed, Layout, Packed, Padded, Stateful
from drystone.core.lengths import Lengths
from drystone.train.settings import Settings

PREDICTION_CELLS = 1 << 14  # enough to keep kernels busy, and little memory at any hidden size
PREDICTION_ROWS = 64


def training_layout(settings: Settings) -> Layout:
    """Returns the layout that the settings ask for."""
    if settings.layout == "stateful":
        rows = settings.rows if settings.align is not None else stateful_rows(settings)
        return Stateful(rows=rows, steps=stateful_steps(settings), align=settings.align)
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


def stateful_rows(settings: Settings) -> int:
    """Returns the rows of a stateful layout."""
    return settings.rows or BATCH_SIZE


def stateful_steps(settings: Settings) -> int:
    """Returns the steps of a stateful layout."""
    return settings.steps or CARRIED_STEPS


def prediction_layout(lengths: Lengths) -> Layout:
    """Returns a layout with little padding and bounded memory; predictions do not depend on it."""
    return Bucketed(num_buckets=16, cells=max(PREDICTION_CELLS, int(np.max(lengths))), order="given")


def carrying_layout(lengths: Lengths) -> Stateful:
    """Returns a layout whose batches are small however long sequences are, for models that carry state."""
    rows = min(len(lengths), PREDICTION_ROWS)
    steps = min(PREDICTION_CELLS // rows, int(np.max(lengths)))
    return Stateful(rows=rows, steps=steps, order="given")
