"""What a forecast is of: the part of a schema that says what outputs stand for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

from drystone.train.settings import Base
from drystone.train.tasks.forecast.naive import LAST, naive_offsets


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What forecasts are of.

    Args:
        horizon: how many steps ahead.
        shape: of one step of the target: () for a number, (n,) for a vector.
        season: in steps, or None where there is none.
        base: the naive forecast that the model learns the difference to.
        naive_errors: of each number, what its errors are scaled by in `mase`; 0 where there is nothing to compare with.
    """

    horizon: int
    shape: tuple[int, ...]
    season: int | None
    base: Base
    naive_errors: tuple[float, ...]

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Outlook":
        """Returns what `to_plain` wrote."""
        return cls(**{**plain, "shape": tuple(plain["shape"]), "naive_errors": tuple(plain["naive_errors"])})

    def to_plain(self) -> dict[str, Any]:
        """Returns it as JSON can hold it."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @property
    def num_numbers(self) -> int:
        """The numbers of one step of the target."""
        return prod(self.shape)

    @property
    def base_offsets(self) -> tuple[int, ...] | None:
        """Where the values of the base lie: see `naive_offsets`; None without a base."""
        if self.base == "none":
            return None
        return LAST if self.base == "last" else naive_offsets(self.season, self.horizon)
