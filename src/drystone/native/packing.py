"""Packing: best fit decreasing, over grids and over groups."""

import numpy as np
import numpy.typing as npt

from drystone.native import numpy_packing
from drystone.native.choose import native_serves

Ints = npt.NDArray[np.int64]
Spans = tuple[Ints, Ints, Ints, Ints, Ints, Ints]


def fill_grids(lengths: Ints, rows: int, steps: int, gap: int, carried: Ints) -> Spans:
    """Lays sequences on grids of rows × steps, one grid after the other, each by best fit, longest first.

    A grid takes the sequences that wait and the next ones, up to its number of cells; those for which no room is
    found wait for the next grid. A sequence longer than `steps` takes all that is left of the row with the least
    room, and goes on from column 0 of the same row of the next grid.

    Args:
        lengths: [sequences], in the order in which they are taken, ≥ 1 each.
        rows: of a grid, ≥ 1.
        steps: of a grid, ≥ 1.
        gap: cells left free before each start inside a row, ≥ 0.
        carried: [sequences that are under way] the rows on which the first sequences start, in the first grid.

    Returns:
        grid, row, step, sequence (its place in `lengths`), offset and length of each span, in the order of grid,
        row and step.

    Example:
        >>> grid, row, step, *_ = fill_grids(np.array([3, 1, 4]), 2, 4, 0, np.zeros(0, np.int64))
        >>> row, step
        (array([0, 1, 1]), array([0, 0, 3]))
    """
    if not native_serves():
        return numpy_packing.fill_grids(lengths, rows, steps, gap, carried)
    from drystone.native import _native

    long = lengths[lengths > steps]
    columns = _columns(len(lengths) + len(long) + int((long // steps).sum()))
    size = _native.fill_grids(lengths, rows, steps, gap, carried, *columns)
    grid, row, step, item, offset, length = (column[:size] for column in columns)
    return grid, row, step, item, offset, length


def pack_groups(lengths: Ints, group: int, rows: int, steps: int, gap: int, multiple: int) -> tuple[Spans, Ints, Ints]:
    """Lays each group of sequences on a grid of its own, by best fit, longest first.

    Args:
        lengths: [sequences], ≥ 1 each; a group is the next `group` of them.
        group: sequences a group, ≥ 1.
        rows: rows of each grid; 0 chooses them: as many as the group fills when its longest sequence is a row, or half
            of them as long as that saves a thirtieth of the cells.
        steps: steps of each grid, and as many rows as are needed (`rows` is not looked at then); 0 finds the
            least steps into which the group fits.
        gap: cells left free before each start inside a row, ≥ 0.
        multiple: chosen rows are a multiple of it, or fewer.

    Returns:
        The spans, as `fill_grids` returns them; then rows and steps of each grid.

    Example:
        >>> _, rows, steps = pack_groups(np.array([3, 1, 4, 4]), 4, 0, 0, 0, 8)
        >>> rows, steps
        (array([3]), array([4]))
    """
    if not native_serves():
        return numpy_packing.pack_groups(lengths, group, rows, steps, gap, multiple)
    from drystone.native import _native

    columns = _columns(len(lengths))
    num_grids = -(-len(lengths) // group)
    rows_of, steps_of = np.empty(num_grids, np.int64), np.empty(num_grids, np.int64)
    _native.pack_groups(lengths, group, rows, steps, gap, multiple, *columns, rows_of, steps_of)
    return columns, rows_of, steps_of


def _columns(size: int) -> Spans:
    grid, row, step, item, offset, length = (np.empty(size, np.int64) for _ in range(6))
    return grid, row, step, item, offset, length
