"""Series on rows of endless batches: whole or cut into parts, side by side on one axis of time or end to end."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

import drystone as ds
from tests.contract.strategies import orders, remainders

Step = tuple[int, int]  # the number of a series, and of a step of it


class OnRows(NamedTuple):
    """Sequences and their layout; `scorable` are the steps of the series that have targets."""

    seqs: ds.Sequences
    layout: ds.Stateful
    scorable: set[Step]
    series: list[np.ndarray[Any, Any]]  # of each whole series, its x: [steps, 3]


@st.composite
def on_rows(draw: Any, remainder: st.SearchStrategy[Any] = remainders) -> OnRows:
    """Series of 1 to 40 steps of 3 features, some longer than a batch and some shorter; a time may be missing in each."""
    lengths = draw(st.lists(st.one_of(st.integers(1, 5), st.integers(1, 40)), min_size=1, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    longest = max(lengths) + draw(st.integers(0, 10))
    times = [np.sort(rng.choice(longest, length, replace=False)) for length in lengths]
    series = [rng.standard_normal((length, 3)) for length in lengths]
    numbers = [np.full(length, number) for number, length in enumerate(lengths)]
    seqs = ds.Sequences.from_arrays(
        {"x": series, "time": times, "series": numbers, "step": [np.arange(length) for length in lengths]}
    )
    reach = draw(st.integers(0, 3))
    if reach:
        seqs = seqs.ahead("x", sorted({1, reach}), name="targets")
    if draw(st.booleans()):
        seqs = seqs.cut(draw(st.integers(1, 4)), lead=draw(st.sampled_from([0, 1, 4, 40])))
    align = draw(st.sampled_from([None, "time"]))
    rows = draw(st.one_of(st.integers(1, 6), st.none())) if align else draw(st.integers(1, 6))
    layout = ds.Stateful(rows, draw(st.integers(1, 15)), order=draw(orders), remainder=draw(remainder), align=align)
    scorable = {(number, step) for number, length in enumerate(lengths) for step in range(length - reach)}
    return OnRows(seqs, layout, scorable, series)
