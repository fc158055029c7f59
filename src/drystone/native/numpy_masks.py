"""Masks in NumPy: the oracle of the C++."""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def fill_masks(cells: Ints, lengths: Ints, is_first: Bools, valid: Bools, reset: Bools) -> None:
    """Does what `drystone.native.fill_masks` says."""
    outside = (cells < 0) | (lengths < 1) | (cells + lengths > len(valid))
    if outside.any():
        at = int(np.argmax(outside))
        raise IndexError(f"span {at} has {lengths[at]} cells from cell {cells[at]} of {len(valid)}.")
    opens = np.zeros(len(valid) + 1, dtype=np.int64)
    np.add.at(opens, cells, 1)
    np.add.at(opens, cells + lengths, -1)
    valid[:] = np.cumsum(opens[:-1]) > 0
    reset[:] = False
    reset[cells] = is_first
