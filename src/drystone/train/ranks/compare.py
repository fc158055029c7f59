"""What must be the same on all ranks is compared before they train."""

from collections.abc import Mapping
from typing import Any

from drystone.core.errors import RankError
from drystone.train.ranks.ranks import Ranks

MOST_NAMED = 3


def check_equal(ranks: Ranks, what: Mapping[str, Any]) -> None:
    """Raises RankError on all ranks where one sees something else than rank 0.

    Args:
        ranks: all of them.
        what: under the words for it, what this rank sees; short, since it is shown.
    """
    every = ranks.gathered(dict(what))
    first, parts = every[0], list[str]()
    for rank, other in enumerate(every):
        for name in (*first, *(name for name in other if name not in first)):
            here, there = first.get(name), other.get(name)
            if here != there:
                parts.append(f"{name} is {here} on rank 0, and {there} on rank {rank}")
    if parts:
        more = len(parts) - MOST_NAMED
        listed = "; ".join(parts[:MOST_NAMED]) + (f"; and {more} more differences" if more > 0 else "")
        raise RankError(
            f"the {ranks.num_ranks} processes do not see the same: {listed}. Give all of them the same data, settings and versions."
        )
