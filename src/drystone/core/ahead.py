"""Values that lie ahead of each step in another field, gathered when they are asked for."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.column import Column

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What a lazy field looks at.

    Args:
        source: the field whose values it holds.
        offsets: how many steps ahead of a step each of its values lies, each ≥ 1.
    """

    source: str
    offsets: tuple[int, ...]


def gather_ahead(column: Column, offsets: tuple[int, ...], positions: Ints, ceiling: Ints) -> npt.NDArray[Any]:
    """Returns the values ahead of each position: [positions, offsets, *item shape].

    Args:
        column: numbers or timestamps.
        offsets: how many steps ahead, each ≥ 1.
        positions: where the steps lie in the column.
        ceiling: [positions] where values no longer exist; 0 stands for those.
    """
    at = positions[:, None] + np.array(offsets, dtype=np.int64)
    missing = at >= ceiling[:, None]
    at[missing] = 0
    values = column.take(at)
    values[missing] = column.empty(())
    return values
