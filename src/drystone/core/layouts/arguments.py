"""Arguments of layouts: their kinds, and checks that name what is wrong."""

from collections.abc import Sequence
from operator import index
from typing import Any, Literal, cast

import numpy as np

from drystone.core.errors import LayoutError

Order = Literal["random", "given"]
Remainder = Literal["keep", "drop"]
LARGEST = (1 << 31) - 1  # rows × steps, gaps included, stay inside 64 bits


def check_positive(layout: str, *, least: int = 1, most: int = LARGEST, **numbers: object) -> None:
    """Raises LayoutError where a number is not a whole number of at least `least` and at most `most`."""
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < least:
            raise LayoutError(f"{layout}: {name} must be a whole number of at least {least}; got {number!r}.")
        if number > most:
            raise LayoutError(f"{layout}: {name} must be at most {most}; got {number!r}.")


def check_fraction(layout: str, name: str, value: object) -> float:
    """Returns the value as a Python float, or raises LayoutError where it is no number from 0 to below 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating)) or not 0 <= value < 1:
        raise LayoutError(f"{layout}: {name} must be a fraction from 0 to below 1; got {value!r}.")
    return float(cast("float", value))


def freeze(layout: Any, *names: str) -> None:
    """Makes numbers Python ints and lists of them tuples, so that equal layouts compare, hash and print alike.

    Raises:
        LayoutError: a list holds something else than whole numbers ≥ 1.
    """
    for name in names:
        value = getattr(layout, name)
        if value is not None:
            is_one = isinstance(value, (int, np.integer))
            plain = int(cast("int", value)) if is_one else _tuple_of(layout, name, value)
            object.__setattr__(layout, name, plain)


def _tuple_of(layout: Any, name: str, values: Any) -> tuple[int, ...]:
    kind = type(layout).__name__
    try:
        numbers = tuple(values)
    except TypeError:
        raise LayoutError(f"{kind}: {name} must be whole numbers of at least 1; got {values!r}.") from None
    for at, number in enumerate(numbers):
        check_positive(kind, **{f"{name}[{at}]": number})
    return tuple(map(index, numbers))


def check_choice(layout: str, name: str, value: str, choices: Sequence[str]) -> None:
    """Raises LayoutError where a value is none of the choices."""
    if value not in choices:
        raise LayoutError(f"{layout}: {name} must be one of {', '.join(map(repr, choices))}; got {value!r}.")
