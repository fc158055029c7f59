"""Series on a common time axis: which column each step lies in."""

from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
from drystone.core.layouts.placement import Ints
from drystone.core.lengths import Lengths, offsets_of, place_of


def align_runs(lengths: Lengths, times: npt.NDArray[Any]) -> tuple[Ints, Ints, Ints, Ints, int]:
    """Finds the runs of steps that lie in neighbouring columns.

    Args:
        lengths: [sequences].
        times: [steps of all sequences], end to end; numbers or timestamps that rise within each sequence.

    Returns:
        Of each run its sequence, offset, length and first column; then the number of columns: the distinct times.

    Raises:
        DataError: times that are no numbers, are missing, or do not rise within a sequence.

    Example:
        >>> align_runs(np.array([3, 2]), np.array([1, 2, 4, 3, 4]))
        (array([0, 0, 1]), array([0, 2, 0]), array([2, 1, 2]), array([0, 3, 2]), 4)
    """
    if times.dtype.kind not in "iufM" or times.ndim != 1:
        raise DataError(f"times must be numbers or timestamps, one a step; got {times.dtype} of shape {times.shape}.")
    offsets = offsets_of(lengths)
    is_first = np.zeros(len(times), dtype=bool)
    is_first[offsets[:-1]] = True
    _check_rising(times, is_first, lengths)
    distinct, column = np.unique(times, return_inverse=True)
    opens = is_first.copy()
    opens[1:] |= column[1:] != column[:-1] + 1
    start = np.flatnonzero(opens)
    sequence = np.searchsorted(offsets, start, side="right") - 1
    length = np.diff(np.append(start, len(times)))
    return sequence, start - offsets[sequence], length, column[start], len(distinct)


def _check_rising(times: npt.NDArray[Any], is_first: npt.NDArray[np.bool_], lengths: Lengths) -> None:
    falls = np.append(False, ~(times[1:] > times[:-1])) & ~is_first
    falls |= np.isnat(times) if times.dtype.kind == "M" else np.isnan(times)
    if falls.any():
        at = int(np.argmax(falls))
        sequence, step = place_of(at, lengths)
        before = "" if step == 0 else f", after {times[at - 1]}"
        raise DataError(
            f"the time of sequence {sequence}, step {step}, is {times[at]}{before}; times must rise within a sequence. "
            f"Sort the steps, and drop double ones."
        )
