"""A position among the batches of all epochs, as the dict that is saved in checkpoints."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from drystone.core.errors import DataError
from drystone.core.lengths import Lengths
from drystone.core.plan import Plan

STATE_VERSION = 1
SOURCE = ("version", "seed", "layout", "lengths")


def source_of(lengths: Lengths, layout: object, seed: int) -> dict[str, Any]:
    """Returns what a position belongs to: the part of the dict that stays the same at every batch."""
    digest = blake2b(lengths.tobytes(), digest_size=8).hexdigest()
    return {"version": STATE_VERSION, "seed": seed, "layout": repr(layout), "lengths": digest}


def check_position(state: dict[str, Any], source: dict[str, Any], planned: Callable[[int], Plan]) -> tuple[int, int]:
    """Returns the epoch and the number of its batches that a saved position stands at.

    Args:
        state: `source_of(...)` with "epoch" and "batches".
        source: what positions belong to here.
        planned: gives the plan of an epoch.

    Raises:
        DataError: the position is of other lengths, another layout, seed or version, or is damaged.
    """
    for key in SOURCE:
        if state.get(key) != source[key]:
            raise DataError(f"the saved position has {key} {state.get(key)!r}; expected {source[key]!r}.")
    epoch, batches = state.get("epoch"), state.get("batches")
    if not isinstance(epoch, int) or not isinstance(batches, int) or epoch < 0:
        raise DataError(f"the saved position is damaged: epoch {epoch!r}, batches {batches!r}.")
    num_batches = planned(epoch).num_batches
    if not 0 <= batches <= num_batches:
        raise DataError(f"the saved position is batch {batches}; epoch {epoch} has {num_batches}.")
    return epoch, batches
