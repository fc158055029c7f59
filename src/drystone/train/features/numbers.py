"""Statistics of fields that hold numbers, and their checks."""

from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
from drystone.core.lengths import place_of
from drystone.core.sequences import Sequences

SMALLEST_SPREAD = 1e-12  # of a feature's largest number
Statistics = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def mean_and_spread(seqs: Sequences, name: str) -> Statistics:
    """Returns mean and standard deviation of each number of a field; missing ones (NaN) left out.

    Constant numbers have the spread 1, and so have those of which none is known, with the mean 0.
    """
    values: npt.NDArray[Any] = seqs.field(name).values
    values = values.reshape(len(values), -1)
    known = ~np.isnan(values)
    if known.all():
        return _of_known(values)
    columns = [_of_known(column[is_known, None]) for column, is_known in zip(values.T, known.T, strict=True)]
    return np.concatenate([mean for mean, _ in columns]), np.concatenate([spread for _, spread in columns])


def _of_known(values: npt.NDArray[Any]) -> Statistics:
    """Scaled first, so that squares stay within range."""
    if not len(values):
        return np.zeros(values.shape[1]), np.ones(values.shape[1])
    largest = np.abs(values).max(axis=0).astype(np.float64)
    scale = np.where(largest > 0, largest, 1.0)
    scaled = values / scale
    spread = scaled.std(axis=0)
    is_constant = spread <= SMALLEST_SPREAD  # rounding alone spreads equal numbers this far
    return scaled.mean(axis=0) * scale, np.where(is_constant, 1.0, spread * scale)


def check_finite(seqs: Sequences, name: str, what: str, *, missing_allowed: bool = False, remedy: str = "") -> None:
    """Raises DataError at the first place where a field is infinite, or NaN.

    Args:
        seqs: the sequences.
        name: the field.
        what: what it is for.
        missing_allowed: whether NaN may stand for what is missing.
        remedy: what to do, beside filling in or leaving out.
    """
    field = seqs.field(name)
    values: npt.NDArray[Any] = field.values
    if values.dtype.kind != "f":
        return
    wrong = np.isinf(values) if missing_allowed else ~np.isfinite(values)
    if not wrong.any():
        return
    at, *inside = (int(axis[0]) for axis in np.nonzero(wrong))
    sequence, step = place_of(at, seqs.lengths) if field.per_step else (at, None)
    column = f"{name}[{', '.join(map(str, inside))}]" if inside else name
    raise DataError(
        f"column {column!r} is {values[(at, *inside)]} in {seqs.place(sequence, step)}; {what} must be finite "
        f"numbers. Fill in missing values, or leave the sequence out.{remedy}"
    )
