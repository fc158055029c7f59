"""Sources of streams: the same items, given in different ways."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from drystone import Packed, Sequences
from drystone.core.layouts.base import Placement, Shuffle
from tests.contract import strategies


@dataclass(frozen=True, slots=True)
class PackedOrDropped(Packed):
    """Packed, with a rule for the last batch where it has fewer sequences than it could have."""

    remainder: str = "keep"

    def place(self, lengths: Any, shuffle: Shuffle) -> Placement:
        placed = Packed.place(self, lengths, shuffle)
        if self.remainder == "keep":
            return placed
        kept = placed.batch < len(placed.rows) - 1
        return replace(
            placed,
            **{name: getattr(placed, name)[kept] for name in ("batch", "row", "step", "sequence")},
            rows=placed.rows[:-1],
            steps=placed.steps[:-1],
            dropped=placed.sequence[~kept],
        )


packed = strategies.packed.map(
    lambda layout: PackedOrDropped(layout.rows, layout.steps, layout.sequences, layout.order)
)
layouts = st.one_of(
    strategies.padded,
    strategies.bucketed(),
    st.builds(lambda layout, remainder: replace(layout, remainder=remainder), packed, strategies.remainders),
)


def examples(lengths: Iterable[int]) -> list[dict[str, Any]]:
    """Examples that tell where they stand: x is 1000 × number + step, in two ways; y and name are one a sequence."""
    return [
        {
            "x": np.stack([1000 * number + np.arange(length), np.arange(length)], axis=1).astype(np.float32),
            "token": [f"t{step}" for step in range(length)],
            "y": number,
            "name": f"n{number}",
        }
        for number, length in enumerate(lengths)
    ]


def chunks(lengths: Iterable[int], sizes: Iterable[int]) -> list[Sequences]:
    """The same examples as Sequences of these sizes, over and over."""
    items = examples(lengths)
    result, start = [], 0
    sizes = list(sizes)
    while start < len(items):
        some = items[start : start + sizes[len(result) % len(sizes)]]
        start += len(some)
        result.append(
            Sequences.from_arrays(
                per_step={name: [item[name] for item in some] for name in ("x", "token")},
                per_sequence={name: [item[name] for item in some] for name in ("y", "name")},
            )
        )
    return result


class Tape:
    """A source with a state of its own, that goes on where it stopped; it counts what was read of it.

    The state that it gives and takes is its own, not a copy.
    """

    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self.state = {"at": 0, "epoch": 0}
        self.num_read = 0

    def __iter__(self) -> Iterator[Any]:
        while self.state["at"] < len(self.items):
            self.state["at"] += 1
            self.num_read += 1
            yield self.items[self.state["at"] - 1]
        self.state["at"] = 0
        self.state["epoch"] += 1

    def state_dict(self) -> dict[str, int]:
        return self.state

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.state = state
