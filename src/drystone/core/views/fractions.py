"""Fractions of steps, in whole numbers only, so that they are the same on every machine."""

from collections.abc import Sequence
from fractions import Fraction
from numbers import Real
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
from drystone.core.views.arguments import is_list

FINEST = 1_000_000  # the greatest denominator, so that products with lengths stay inside 64 bits


def check_fractions(fractions: Sequence[float]) -> list[Fraction]:
    """Returns where each part but the first begins, as a fraction of all steps.

    Raises:
        DataError: a fraction outside 0 … 1, or a sum other than 1.

    >>> check_fractions((0.7, 0.15, 0.15))
    [Fraction(7, 10), Fraction(17, 20)]
    """
    if not is_list(fractions):
        raise DataError(f"split_by_time: fractions must be a list such as (0.7, 0.15, 0.15); got {fractions!r}.")
    shares: list[Fraction] = []
    for at, fraction in enumerate(cast("Sequence[Any]", fractions)):
        if isinstance(fraction, bool) or not isinstance(fraction, Real) or not 0 < float(fraction) <= 1:
            raise DataError(f"split_by_time: fractions[{at}] is {fraction!r}; expected a number above 0, up to 1.")
        shares.append(Fraction(str(float(fraction))).limit_denominator(FINEST))  # the decimal that the user wrote
    total = sum(shares)
    if abs(total - 1) > Fraction(len(shares), FINEST):
        raise DataError(f"split_by_time: fractions add up to {float(total):g}; expected 1.")
    return [sum(shares[:part], Fraction(0)).limit_denominator(FINEST) for part in range(1, len(shares))]


def share_of(lengths: npt.NDArray[np.int64], share: Fraction) -> npt.NDArray[np.int64]:
    """Returns this share of each length, rounded to whole steps, halves up.

    >>> share_of(np.array([10, 3]), Fraction(17, 20))
    array([9, 3])
    """
    return (2 * lengths * share.numerator + share.denominator) // (2 * share.denominator)
