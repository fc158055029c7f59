"""What of a batch is scored, and its fields of values ahead."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from drystone.core.ahead import gather_ahead
from drystone.core.batch import Values
from drystone.core.grid import Bools, Grid
from drystone.core.lengths import ranges

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences


def scored_mask(seqs: "Sequences", grid: Grid) -> Bools:
    """Returns bool [rows, steps]: valid, past the lead, and with targets that exist."""
    spans = grid.spans
    first, stop = seqs.scored_steps(spans.sequence)
    first = np.clip(first - spans.offset, 0, spans.length)
    stop = np.clip(stop - spans.offset, first, spans.length)
    mask = grid.valid.copy()
    cells = mask.reshape(-1)
    start = spans.row * grid.num_steps + spans.start
    cells[ranges(start, first)] = False
    cells[ranges(start + stop, spans.length - stop)] = False
    return mask


def ahead_fields(seqs: "Sequences", grid: Grid, wanted: Collection[str]) -> dict[str, Values]:
    """Returns [rows, steps, offsets, *shape] of each wanted field of values ahead; 0 where there is none."""
    fields = {name: ahead for name, ahead in seqs.ahead_fields.items() if name in wanted}
    if not fields:
        return {}
    spans = grid.spans
    positions = ranges(seqs.starts[spans.sequence] + spans.offset, spans.length)
    ceiling = np.repeat(seqs.bounds_of(spans.sequence).ceiling, spans.length)
    result: dict[str, Values] = {}
    for name, ahead in fields.items():
        column = seqs.step_columns[ahead.source]
        values = gather_ahead(column, ahead.offsets, positions, ceiling)
        flat = np.zeros((grid.num_rows * grid.num_steps, *values.shape[1:]), values.dtype)
        flat[grid.cells] = values
        result[name] = flat.reshape(grid.num_rows, grid.num_steps, *values.shape[1:])
    return result
