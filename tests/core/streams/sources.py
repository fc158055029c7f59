"""Sources of streams: the same items, given in different ways."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from drystone import Sequences


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
