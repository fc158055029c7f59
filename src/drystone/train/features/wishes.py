"""What was said of the inputs of a model, without a framework."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Missing = Literal["error", "ffill", "indicator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was said of the inputs.

    Args:
        names: the fields; None for all that can tell something.
        categories: fields of whole numbers or bools that are categories; text always is.
        calendar: the parts of the calendar that are inputs, of the timestamps that order the steps.
        missing: what becomes of missing values.
        known_ahead: features, or parts of the calendar, whose values are known before they come ...
        horizon: ... for so many steps.
    """

    names: Sequence[str] | None = None
    categories: Sequence[str] = ()
    calendar: Sequence[str] = ()
    missing: Missing = "error"
    known_ahead: Sequence[str] = ()
    horizon: int = 0
