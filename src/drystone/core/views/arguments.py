"""Checks of what views are given."""

from collections.abc import Sequence
from operator import index
from typing import SupportsIndex

import numpy as np

from drystone.core.errors import DataError

MOST = 1 << 60  # sums with positions stay inside 64 bits


def whole(view: str, name: str, value: object, least: int) -> int:
    """Returns the value as a Python int.

    Raises:
        DataError: it is no whole number of at least `least`, or too large.
    """
    if isinstance(value, bool) or not isinstance(value, SupportsIndex) or index(value) < least:
        raise DataError(f"{view}: {name} must be a whole number of at least {least}; got {value!r}.")
    if index(value) > MOST:
        raise DataError(f"{view}: {name} must be at most {MOST}; got {value!r}.")
    return index(value)


def is_list(value: object) -> bool:
    """Whether the value is a list of at least one item, and no text."""
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) and len(value) > 0  # pyright: ignore[reportUnknownArgumentType]
