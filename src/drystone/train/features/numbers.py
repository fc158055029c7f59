"""Statistics of fields that hold numbers, and their checks."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
from drystone.core.field import Field
from drystone.core.lengths import place_of
from drystone.core.sequences import Sequences

SMALLEST_SPREAD = 1e-12  # of a feature's largest number
Statistics = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def mean_and_spread(seqs: Sequences, name: str) -> Statistics:
    """Returns mean and standard deviation of each number of a field; missing ones (NaN) left out.

    Constant numbers have the spread 1, and so have those of which none is known, with the mean 0.
    """
    field = seqs.field(name)
    size = prod(field.item_shape)
    largest = np.zeros(size)
    for values in _blocks(field, size):
        largest = np.fmax(largest, np.fmax.reduce(np.abs(values), axis=0).astype(np.float64))
    scale = np.where(largest > 0, largest, 1.0)  # so that squares stay within range
    found = Moments(count=np.zeros(size), mean=np.zeros(size), variance=np.zeros(size))
    for values in _blocks(field, size):
        found = found.with_more(Moments.of(values, scale))
    spread = np.sqrt(found.variance)
    is_constant = spread <= SMALLEST_SPREAD  # rounding alone spreads equal numbers this far
    return found.mean * scale, np.where(is_constant, 1.0, spread * scale)


def _blocks(field: Field, size: int) -> Iterator[npt.NDArray[Any]]:
    return (block.values.reshape(-1, size) for _, block in field.blocks())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """Of each number of a field: how many are known, their mean and their variance."""

    count: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    variance: npt.NDArray[np.float64]

    @classmethod
    def of(cls, values: npt.NDArray[Any], scale: npt.NDArray[np.float64]) -> "Moments":
        """Returns the moments of some values [values, numbers], each divided by its scale."""
        known = ~np.isnan(values)
        if known.all():
            scaled = values / scale
            return cls(
                count=np.full(len(scale), float(len(values))), mean=scaled.mean(axis=0), variance=scaled.var(axis=0)
            )
        count, mean, variance = known.sum(axis=0).astype(np.float64), np.zeros(len(scale)), np.zeros(len(scale))
        for number in np.flatnonzero(count):
            scaled = values[known[:, number], number, None] / scale[number]
            mean[number], variance[number] = scaled.mean(axis=0)[0], scaled.var(axis=0)[0]
        return cls(count=count, mean=mean, variance=variance)

    def with_more(self, other: "Moments") -> "Moments":
        """Returns the moments of these values and others together (Chan, Golub and LeVeque 1979)."""
        count = np.maximum(self.count + other.count, 1.0)
        share, distance = other.count / count, other.mean - self.mean
        variance = self.variance * (self.count / count) + other.variance * share
        return replace(
            self,
            count=self.count + other.count,
            mean=self.mean + distance * share,
            variance=variance + distance**2 * share * (self.count / count),
        )


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
    if field.column.empty((1,)).dtype.kind != "f":
        return
    for first, block in field.blocks():
        values: npt.NDArray[Any] = block.values
        wrong = np.isinf(values) if missing_allowed else ~np.isfinite(values)
        if not wrong.any():
            continue
        at, *inside = (int(axis[0]) for axis in np.nonzero(wrong))
        sequence, step = place_of(first + at, seqs.lengths) if field.per_step else (first + at, None)
        column = f"{name}[{', '.join(map(str, inside))}]" if inside else name
        raise DataError(
            f"column {column!r} is {values[(at, *inside)]} in {seqs.place(sequence, step)}; {what} must be finite "
            f"numbers. Fill in missing values, or leave the sequence out.{remedy}"
        )
