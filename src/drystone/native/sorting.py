"""Sorting random keys that carry their place in their low bits."""

import numpy as np
import numpy.typing as npt

from drystone.native.choose import native_serves

FEW = 1 << 16  # below, the sort of NumPy is as fast


def sort_keys(keys: npt.NDArray[np.uint64], low_bits: int) -> None:
    """Sorts keys in place, in one pass over memory and a few in cache.

    Args:
        keys: uint64 [keys]; those that are equal but for their low bits are in order already.
        low_bits: how many bits at the low end need no sorting, 0 … 63.

    Example:
        >>> keys = np.array([0x50, 0x11, 0x52, 0x03], dtype=np.uint64)
        >>> sort_keys(keys, low_bits=4)
        >>> keys.tolist() == [0x03, 0x11, 0x50, 0x52]
        True
    """
    if len(keys) < FEW or not native_serves():
        keys.sort()
        return
    from drystone.native import _native

    _native.sort_keys(keys, np.empty_like(keys), low_bits)
