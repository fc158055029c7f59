"""How evenly the times of steps follow each other: the usual interval, and gaps."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.lengths import Lengths, offsets_of

MOST = 1.5  # usual intervals; a longer one is a gap
LEAST = 0.5  # usual intervals; a shorter one is not about as long


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """What lies between the times of neighbouring steps; steps at the same time have no interval.

    Args:
        usual: the median of all intervals, of two middle ones the shorter; in the unit of the times.
        count: how many intervals there are.
        num_usual: how many are about as long as the usual one: half of it to 1.5 times it.
        num_gaps: how many are longer.
        first_gap: the position, among all steps, of the step after the first gap; None without gaps.
        largest_gap: the same, of the largest gap.
    """

    usual: Any
    count: int
    num_usual: int
    num_gaps: int
    first_gap: int | None
    largest_gap: int | None


def intervals_of(times: npt.NDArray[Any], lengths: Lengths) -> Intervals | None:
    """Returns what lies between the times of steps, or None where there are no two times in one sequence.

    Args:
        times: [steps of all sequences] numbers or timestamps, which rise within each sequence.
        lengths: [sequences] their steps.

    Example:
        >>> found = intervals_of(np.array([1, 2, 3, 4, 9, 10, 11]), np.array([7]))
        >>> found.usual, found.num_gaps, found.first_gap
        (np.int64(1), 1, 4)
    """
    found = np.diff(times)
    # As numbers, since half of a time span is not always one.
    sizes = found.view(np.int64) if found.dtype.kind == "m" else found
    is_one = sizes > 0
    is_one[offsets_of(lengths)[1:-1] - 1] = False
    chosen = np.flatnonzero(is_one)
    if not len(chosen):
        return None
    sizes = sizes[chosen]
    middle = (len(sizes) - 1) // 2
    usual = np.partition(sizes, middle)[middle]
    gaps = np.flatnonzero(sizes > MOST * usual)
    return Intervals(
        usual=usual.astype(found.dtype),
        count=len(sizes),
        num_usual=int((sizes >= LEAST * usual).sum()) - len(gaps),
        num_gaps=len(gaps),
        first_gap=int(chosen[gaps[0]]) + 1 if len(gaps) else None,
        largest_gap=int(chosen[gaps[np.argmax(sizes[gaps])]]) + 1 if len(gaps) else None,
    )
