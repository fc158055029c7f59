"""Sequences that lie whole in a grid: what reading all of their steps needs to know, found on the host."""

from dataclasses import dataclass

import numpy as np

from drystone.core.errors import ShapeError
from drystone.core.grid import Grid, Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WholeSequences:
    """The sequences of a grid, in the order of `grid.ends`; each attribute is [sequences].

    Cells are numbered row × steps + step. A sequence may lie in several spans of its row, with invalid cells between.

    Args:
        length: how many steps each has.
        first_cell, last_cell: where its first and last step lie.
    """

    length: Ints
    first_cell: Ints
    last_cell: Ints


def whole_sequences(grid: Grid, what: str) -> WholeSequences:
    """Returns the sequences of a grid, the spans of each joined.

    Args:
        grid: the grid.
        what: what needs whole sequences, for the message: "a mean over all steps".

    Raises:
        ShapeError: a sequence that does not lie whole in the grid.
    """
    spans = grid.spans
    opens = np.ones(len(spans), dtype=bool)
    changes = (spans.sequence[1:] != spans.sequence[:-1]) | (spans.row[1:] != spans.row[:-1])
    opens[1:] = spans.is_first[1:] | changes
    first = np.flatnonzero(opens)
    last = np.append(first[1:], len(spans))[: len(first)] - 1
    is_part = ~(spans.is_first[first] & spans.is_last[last])
    if is_part.any():
        at = int(np.argmax(is_part))
        where = "starts before" if not spans.is_first[first[at]] else "goes on after"
        raise ShapeError(
            f"{what} needs every sequence whole in one batch; sequence {spans.sequence[first[at]]} in row "
            f"{spans.row[first[at]]} {where} this one. Use a layout that keeps sequences whole, or one direction and "
            f"its last step."
        )
    steps = np.concatenate([[0], np.cumsum(spans.length)])
    return WholeSequences(
        length=steps[last + 1] - steps[first],
        first_cell=grid.first_cells[first],
        last_cell=spans.row[last] * grid.num_steps + spans.stop[last] - 1,
    )
