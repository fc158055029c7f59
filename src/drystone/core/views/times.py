"""The times of steps: that they rise, and where a time lies in each sequence."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from drystone.core.bounds import Bounds
from drystone.core.errors import DataError
from drystone.core.views.arguments import is_list
from drystone.core.views.fractions import share_of
from drystone.core.views.pieces import Ints

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences

Times = npt.NDArray[Any]


def times_of(seqs: "Sequences", bounds: Bounds, name: str) -> Times:
    """Returns the values of a field of times, by position among all values.

    Raises:
        DataError: a field of another kind, or a time that is missing or falls within a sequence.
    """
    field = seqs.field(name)
    column = seqs.step_columns.get(name)
    if column is None or field.is_text or field.item_shape:
        kind = "text" if field.is_text else "no single value a step"
        raise DataError(f"split_by_time: field {name!r} has {kind}; times are numbers or timestamps, one a step.")
    times = column.slice(0, len(column))
    missing = np.flatnonzero(_is_missing(times))
    falls = np.flatnonzero(~(times[1:] >= times[:-1])) + 1
    for wrong, after in ((missing, 0), (falls, 1)):
        # The first wrong position at or after each sequence's start tells whether one lies in it.
        nearest = np.append(wrong, len(times))[np.searchsorted(wrong, seqs.starts + after)]
        bad = nearest < _ends(seqs, bounds)
        if bad.any():
            at = int(np.argmax(bad))
            position = int(nearest[at])
            what = f"falls, from {times[position - 1]} to {times[position]}" if after else "is missing"
            raise DataError(
                f"split_by_time: the time {name!r} {what}, in {seqs.place(at, position - int(seqs.starts[at]))}; "
                f"times must rise within a sequence. Sort the steps first."
            )
    return times


def check_times(at: Sequence[Any] | None, times: Times, name: str) -> list[Any]:
    """Returns the times where parts begin, in the type of the field.

    Raises:
        DataError: times that cannot be compared with the field's, or that do not rise.
    """
    if at is None or not is_list(at):
        raise DataError(f"split_by_time: at must be a list of the times where parts begin; got {at!r}.")
    found = _like(at, times, name)
    if _is_missing(found).any():
        raise DataError(f"split_by_time: at={at!r} has a missing time.")
    falls = np.flatnonzero(~(found[1:] > found[:-1])) + 1
    if len(falls):
        place = int(falls[0])
        raise DataError(f"split_by_time: at[{place}] is {at[place]!r}, after {at[place - 1]!r}; times must rise.")
    return list(found)


def _like(at: Sequence[Any], times: Times, name: str) -> Times:
    try:
        given = np.array(list(at))
        is_number = given.dtype.kind in "iuf"
        found = given.astype(times.dtype) if times.dtype.kind == "M" else given
    except (TypeError, ValueError) as error:
        raise DataError(f"split_by_time: at={at!r} does not fit field {name!r} of {times.dtype}: {error}.") from error
    if is_number == (times.dtype.kind == "M"):
        kind = "timestamps" if times.dtype.kind == "M" else "numbers"
        raise DataError(f"split_by_time: at={at!r} does not fit field {name!r}, which holds {kind}.")
    return found


def _is_missing(times: Times) -> npt.NDArray[np.bool_]:
    return np.isnat(times) if times.dtype.kind == "M" else np.isnan(times)


def quantiles(values: Times, shares: list[Fraction]) -> list[Any]:
    """Returns the times before which these shares of all steps lie, as nearly as undivided times allow."""
    ranks = [min(int(share_of(np.array(len(values)), share)), len(values) - 1) for share in shares]
    return list(np.partition(values, ranks)[ranks]) if ranks else []


def first_not_before(seqs: "Sequences", bounds: Bounds, times: Times, when: Any) -> Ints:
    """Returns the first position of each sequence, up to where its targets reach, whose time is not before `when`.

    A binary search in all sequences at once.
    """
    low, high = seqs.starts.copy(), _ends(seqs, bounds)
    while (is_open := low < high).any():
        middle = np.where(is_open, (low + high) // 2, 0)
        is_before = times[middle] < when
        low = np.where(is_open & is_before, middle + 1, low)
        high = np.where(is_open & ~is_before, middle, high)
    return low


def _ends(seqs: "Sequences", bounds: Bounds) -> Ints:
    return np.maximum(bounds.ceiling, seqs.starts + seqs.lengths)
