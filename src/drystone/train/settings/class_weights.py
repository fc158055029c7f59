"""How much classes count in training, by name."""

from collections.abc import Mapping
from math import inf
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator


def _checked(value: Any) -> Any:
    """Returns the setting class_weights, with names and weights of one kind, where it names classes.

    >>> _checked("cold=1,hot=5"), _checked("balanced"), _checked({1: 2})
    ({'cold': 1.0, 'hot': 5.0}, 'balanced', {'1': 2.0})

    Raises:
        ValueError: text that names no classes, a name twice, or a weight that is not above 0.
    """
    found = _weights_in(value) if isinstance(value, str) and value != "balanced" else value
    if not isinstance(found, Mapping):
        return found
    for name, weight in found.items():
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < inf:
            raise ValueError(f"the weight of {name!r} is {weight!r}; expected a number above 0")
    return {str(name): float(weight) for name, weight in found.items()}


def _weights_in(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, weight = (piece.strip() for piece in part.rpartition("="))
        try:
            number = float(weight)
        except ValueError:
            number = None
        if not name or number is None or name in found:
            raise ValueError("expected balanced, or a weight for each of some classes, such as cold=1,hot=5")
        found[name] = number
    return found


ClassWeights = Annotated[Literal["balanced"] | dict[str, float] | None, BeforeValidator(_checked)]
"""A weight above 0 for each of some classes, as a mapping or as text; or one of each class by how rare it is."""
