"""The masks of a grid, from its spans."""

import numpy as np
import numpy.typing as npt

from drystone.native import numpy_masks
from drystone.native.choose import native_serves

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def fill_masks(cells: Ints, lengths: Ints, is_first: Bools, valid: Bools, reset: Bools) -> None:
    """Fills both masks: valid inside spans, reset where a sequence starts.

    Args:
        cells: int64 [spans], the first cell of each, row × steps + step.
        lengths: int64 [spans], in cells, ≥ 1.
        is_first: bool [spans], whether a sequence starts there.
        valid: bool [cells], to fill.
        reset: bool [cells], to fill.

    Raises:
        IndexError: a span leaves the grid; the message names it.

    Example:
        >>> valid, reset = np.empty(4, bool), np.empty(4, bool)
        >>> fill_masks(np.array([0, 2]), np.array([1, 2]), np.array([False, True]), valid, reset)
        >>> valid, reset
        (array([ True, False,  True,  True]), array([False, False,  True, False]))
    """
    if not native_serves():
        numpy_masks.fill_masks(cells, lengths, is_first, valid, reset)
        return
    from drystone.native import _native

    _native.fill_masks(cells, lengths, is_first, valid, reset)
