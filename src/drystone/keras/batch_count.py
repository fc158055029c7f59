"""The number of batches of the epoch that is going on, as a number that Keras may keep."""

from collections.abc import Callable
from functools import total_ordering
from typing import final


@final
@total_ordering
class BatchCount:
    """A whole number that is counted anew each time it is used.

    Keras asks a data set for its number of batches once a call of `fit`, and holds every epoch to that. Plans of two
    epochs may differ by a batch: what Keras keeps has to follow.

    Args:
        count: returns the number.

    Example:
        >>> number = BatchCount(lambda: 3)
        >>> list(range(number)), number > 2, number
        ([0, 1, 2], True, 3)
    """

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count

    def __index__(self) -> int:
        return self._count()

    def __float__(self) -> float:
        return float(self._count())

    def __repr__(self) -> str:
        return str(self._count())

    def __bool__(self) -> bool:
        return self._count() > 0

    def __eq__(self, other: object) -> bool:
        return self._count() == other

    def __lt__(self, other: float) -> bool:
        return self._count() < other

    def __hash__(self) -> int:
        return id(self)

    def __sub__(self, other: float) -> float:
        return self._count() - other

    def __rtruediv__(self, other: float) -> float:
        return other / self._count()
