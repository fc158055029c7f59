"""Where in which shard sequences were read, so that an error can name the place."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from drystone.core.origin import Origin

MOST_RECORDS = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Sequences that were read together.

    Args:
        shard: the name of their file.
        first_step, first_sequence: the first of them, among all.
        first_row: the row of the first.
        one_step_a_row: whether a row holds a step (else a sequence).
        is_moved: whether rows were left out or put in order, so that the file is all that can be named.
    """

    shard: str
    first_step: int
    first_sequence: int
    first_row: int
    one_step_a_row: bool
    is_moved: bool

    @property
    def origin(self) -> Origin:
        origin = Origin(name=self.shard, first=self.first_row, one_step_a_row=self.one_step_a_row)
        if not self.is_moved:
            return origin
        return replace(origin, names=(self.shard,), order=np.broadcast_to(np.int64(0), (MOST_RECORDS,)))


def shard_of(sequence: int, places: Sequence[Place]) -> str:
    """Returns the name of the file in which a sequence starts."""
    return next(place.shard for place in reversed(places) if place.first_sequence <= sequence)


def origin_of(places: Sequence[Place]) -> Origin:
    """Returns the origin of all sequences together."""
    return Origin(members=tuple((place.first_step, place.first_sequence, place.origin) for place in places))
