"""The ragged gather: runs of items from one array into another."""

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.native import numpy_gather
from drystone.native.choose import native_serves

Ints = npt.NDArray[np.int64]


def gather(
    values: npt.NDArray[Any],
    sources: Ints,
    targets: Ints,
    lengths: Ints,
    out: npt.NDArray[Any],
) -> None:
    """Fills `out`: a run of items of `values` for each span, and 0 wherever no span lies.

    Nothing is written unless everything can be. Arrays that are not C-contiguous go the slower way of NumPy.

    Args:
        values: [items, *shape] of numbers, bools or timestamps; read-only and memory-mapped ones will do.
        sources: int64 [spans], the item of `values` where each span starts.
        targets: int64 [spans], the item of `out` where it goes; rising, and no two spans overlap.
        lengths: int64 [spans], in items, each ≥ 0.
        out: [items, *shape] of the same shape and dtype; it shares no memory with `values`.

    Raises:
        IndexError: a span leaves `values` or `out`, or starts before the one before it ends; the message names it.
        ValueError: arrays that do not fit together.

    Example:
        >>> out = np.full(6, 9)
        >>> gather(np.array([1, 2, 3]), np.array([1, 0]), np.array([0, 4]), np.array([2, 1]), out)
        >>> out
        array([2, 3, 0, 0, 1, 0])
    """
    if values.dtype != out.dtype or values.shape[1:] != out.shape[1:]:
        raise ValueError(
            f"values hold {values.dtype} items of shape {values.shape[1:]} and out {out.dtype} items of shape "
            f"{out.shape[1:]}; they must be equal."
        )
    if not len(sources) == len(targets) == len(lengths):
        raise ValueError(
            f"got {len(sources)} sources, {len(targets)} targets and {len(lengths)} lengths; they must be as many."
        )
    if native_serves() and values.flags.c_contiguous and out.flags.c_contiguous:
        from drystone.native import _native

        _native.gather(_bytes_of(values), _plain(sources), _plain(targets), _plain(lengths), _bytes_of(out))
    else:
        numpy_gather.gather(values, sources, targets, lengths, out)


def _plain(numbers: Ints) -> Ints:
    return numbers.astype(np.int64, order="C", casting="safe", copy=False)


def _bytes_of(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """The same memory as [items, bytes of an item]."""
    return array.reshape(len(array), prod(array.shape[1:])).view(np.uint8)
