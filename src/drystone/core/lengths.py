"""Checks of sequence lengths: whole numbers, at least 1 each."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from drystone import native
from drystone.core.errors import DataError

Lengths: TypeAlias = npt.NDArray[np.int64]

MOST_CELLS = 1 << 62  # of all sequences, padded to the longest: sums and products stay inside 64 bits


def check_lengths(lengths: npt.ArrayLike | Sequence[int]) -> Lengths:
    """Returns a copy of the lengths as int64, which nobody can change.

    Args:
        lengths: [sequences], whole numbers ≥ 1.

    Raises:
        DataError: the lengths are not a one-dimensional array of whole numbers ≥ 1.

    >>> check_lengths([3, 1, 2])
    array([3, 1, 2])
    """
    try:
        array = np.asarray(lengths)
    except ValueError as error:
        raise DataError(f"lengths must be one-dimensional, one number a sequence; {error}.") from error
    if array.ndim != 1:
        raise DataError(f"lengths must be one-dimensional, one number a sequence; got shape {array.shape}.")
    if array.size == 0:
        raise DataError("lengths is empty; at least one sequence is needed.")
    whole = _whole_numbers(array)
    whole.setflags(write=False)
    if whole.min() < 1:
        index = int(np.argmax(whole < 1))
        raise DataError(f"lengths[{index}] is {whole[index]}; every sequence needs at least 1 step. Drop it first.")
    return whole


def _whole_numbers(array: npt.NDArray[np.generic]) -> Lengths:
    if array.dtype.kind == "f":
        wrong = ~(np.isfinite(array) & (array == np.floor(array)))
        if wrong.any():
            index = int(np.argmax(wrong))
            raise DataError(f"lengths[{index}] is {array[index]}; lengths are whole numbers of steps.")
    elif array.dtype.kind not in "iu":
        raise DataError(f"lengths must be whole numbers; got dtype {array.dtype}.")
    most = MOST_CELLS // len(array)
    if array.max() > most:
        index = int(np.argmax(array))
        raise DataError(
            f"lengths[{index}] is {array[index]}; of {len(array)} sequences none may have more than {most} steps."
        )
    return array.astype(np.int64)


def offsets_of(lengths: Lengths) -> npt.NDArray[np.int64]:
    """Returns [sequences + 1]: where each sequence starts when all are laid end to end.

    >>> offsets_of(np.array([3, 1, 2]))
    array([0, 3, 4, 6])
    """
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def place_of(position: int, lengths: Lengths) -> tuple[int, int]:
    """Returns the sequence and the step that stand at a position, when all are laid end to end.

    >>> place_of(4, np.array([3, 1, 2]))
    (2, 0)
    """
    offsets = offsets_of(lengths)
    sequence = int(np.searchsorted(offsets, position, side="right")) - 1
    return sequence, position - int(offsets[sequence])


def ranges(starts: npt.NDArray[np.int64], lengths: Lengths) -> npt.NDArray[np.int64]:
    """Returns the numbers start … start + length − 1 of every pair, one pair after the other.

    >>> ranges(np.array([10, 0]), np.array([3, 2]))
    array([10, 11, 12,  0,  1])
    """
    offsets = offsets_of(lengths)
    return np.arange(int(offsets[-1])) + np.repeat(starts - offsets[:-1], lengths)


def take_runs(values: Lengths, starts: npt.NDArray[np.int64], lengths: Lengths) -> npt.NDArray[np.int64]:
    """Returns values[start … start + length − 1] of every pair, one run after the other.

    >>> take_runs(np.array([5, 6, 7, 8]), np.array([2, 0]), np.array([2, 1]))
    array([7, 8, 5])
    """
    offsets = offsets_of(lengths)
    result = np.empty(int(offsets[-1]), dtype=np.int64)
    native.gather(values, starts, offsets[:-1], lengths, result)
    return result
