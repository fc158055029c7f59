"""The ragged gather in NumPy: it serves where the extension is missing, and is its oracle."""

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def gather(values: npt.NDArray[Any], sources: Ints, targets: Ints, lengths: Ints, out: npt.NDArray[Any]) -> None:
    """Fills `out`: a run of items of `values` for each span, and 0 wherever no span lies."""
    runs = list(zip(sources.tolist(), targets.tolist(), lengths.tolist(), strict=True))
    _check(runs, len(values), len(out))
    end = 0
    for source, target, length in runs:
        out[end:target] = 0
        out[target : target + length] = values[source : source + length]
        end = target + length
    out[end:] = 0


def _check(runs: list[tuple[int, int, int]], num_values: int, num_out: int) -> None:
    end = 0
    for span, (source, target, length) in enumerate(runs):
        for first, size, what in ((source, num_values, "values"), (target, num_out, "out")):
            if first < 0 or length < 0 or first + length > size:
                raise IndexError(f"span {span} has {length} items from item {first} of {what}, which holds {size}.")
        if target < end:
            raise IndexError(
                f"span {span} starts at item {target} of out, before item {end}, where the one before it ends."
            )
        end = target + length
