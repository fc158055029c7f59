"""What of a batch is scored, and its fields of values ahead."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from drystone.core.ahead import gather_ahead
from drystone.core.batch import Values
from drystone.core.grid import Bools, Grid, Ints
from drystone.core.lengths import ranges

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences


def scored_mask(seqs: "Sequences", grid: Grid, which: Ints, offset: Ints) -> Bools:
    """Returns bool [rows, steps]: valid, past the lead, and with targets that exist.

    Args:
        seqs: the sequences.
        grid: what lies where.
        which: [spans] the sequence that each span shows ...
        offset: ... [spans] and from which of its steps on.
    """
    mask = grid.valid.copy()
    if seqs.is_plain:
        return mask
    spans = grid.spans
    first, stop = seqs.scored_steps(which)
    first = np.clip(first - offset, 0, spans.length)
    stop = np.clip(stop - offset, first, spans.length)
    cells = mask.reshape(-1)
    start = spans.row * grid.num_steps + spans.start
    cells[ranges(start, first)] = False
    cells[ranges(start + stop, spans.length - stop)] = False
    return mask


def ahead_fields(
    seqs: "Sequences", grid: Grid, which: Ints, offset: Ints, wanted: Collection[str]
) -> dict[str, Values]:
    """Returns [rows, steps, offsets, *shape] of each wanted field of values ahead; 0 where there is none."""
    fields = {name: ahead for name, ahead in seqs.ahead_fields.items() if name in wanted}
    if not fields:
        return {}
    spans = grid.spans
    positions = ranges(seqs.starts[which] + offset, spans.length)
    ceiling = np.repeat(seqs.bounds_of(which).ceiling, spans.length)
    result: dict[str, Values] = {}
    for name, ahead in fields.items():
        column = seqs.step_columns[ahead.source]
        values = gather_ahead(column, ahead.offsets, positions, ceiling)
        flat = np.zeros((grid.num_rows * grid.num_steps, *values.shape[1:]), values.dtype)
        flat[grid.cells] = values
        result[name] = flat.reshape(grid.num_rows, grid.num_steps, *values.shape[1:])
    return result
