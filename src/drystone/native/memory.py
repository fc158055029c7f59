"""Memory for large arrays, kept for the next array when one is dropped."""

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.native.choose import native_serves

LARGE = 1 << 17  # bytes; smaller arrays come from memory that the process holds already


def empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Returns an array of any values, as np.empty does.

    Where the extension serves, a large one takes the memory of one that was dropped before, views of it included.
    Up to 64 MiB of dropped memory is kept.

    Args:
        shape: its shape.
        dtype: numbers, bools or timestamps.

    Example:
        >>> empty((2, 3), np.float32).shape
        (2, 3)
    """
    size = prod(shape) * np.dtype(dtype).itemsize
    if size < LARGE or not native_serves():
        return np.empty(shape, dtype)
    from drystone.native import _native

    return _native.empty(size).view(dtype).reshape(shape)
