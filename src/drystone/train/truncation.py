"""Sequences cut to their first steps, where `max_steps` asks for it, and how much that leaves out."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from drystone.core.sequences import Sequences
from drystone.core.words import so_many

TRUNCATED = "truncated"  # what statistics of a run call what is left out of each part


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncated:
    """What is left out of some sequences.

    Args:
        sequences: how many are longer than `max_steps`.
        steps: how many of their steps are left out.

    Example:
        >>> print(Truncated(sequences=2, steps=1200))
        1,200 steps of 2 longer sequences
    """

    sequences: int
    steps: int

    @classmethod
    def of(cls, seqs: Sequences, max_steps: int) -> "Truncated":
        """Counts what lies after the first steps of sequences."""
        left_out = (seqs.lengths - max_steps).clip(min=0)
        return cls(sequences=int(np.count_nonzero(left_out)), steps=int(left_out.sum()))

    def __str__(self) -> str:
        return f"{so_many(self.steps, 'step')} of {so_many(self.sequences, 'longer sequence')}"


def truncated(
    parts: Mapping[str, Sequences], max_steps: int | None
) -> tuple[dict[str, Sequences], dict[str, Truncated]]:
    """Returns the first steps of the sequences of each part, and what that leaves out; of None all steps, and nothing.

    Args:
        parts: by name; some may be empty.
        max_steps: the most steps of a sequence.
    """
    if max_steps is None:
        return dict(parts), {}
    kept = {part: seqs.truncate(max_steps) for part, seqs in parts.items()}
    return kept, {part: Truncated.of(seqs, max_steps) for part, seqs in parts.items() if len(seqs)}


def warn_of_truncated(found: Mapping[str, Truncated], max_steps: int | None) -> None:
    """Warns of what is left out of each part, if anything is."""
    if any(each.steps for each in found.values()):
        parts = "; ".join(f"{part}: {each}" for part, each in found.items())
        warnings.warn(f"max_steps is {max_steps}, which leaves out: {parts}.", stacklevel=2)
