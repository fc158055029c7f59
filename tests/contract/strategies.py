"""Hypothesis strategies: lengths, layouts, seeds, masks and carried plans."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from drystone.core.layouts import Bucketed, Layout, Packed, Padded

MAX_LENGTH = 12

lengths = st.one_of(
    st.lists(st.integers(1, MAX_LENGTH), min_size=1, max_size=30),
    st.integers(1, 20).map(lambda count: [3] * count),
    st.lists(st.integers(1, 3), max_size=20).map(lambda short: [*short, MAX_LENGTH]),
    st.just([1]),
).map(lambda found: np.array(found, dtype=np.int64))

seeds = st.integers(0, 2**64 - 1)
orders = st.sampled_from(["random", "given"])
remainders = st.sampled_from(["keep", "drop"])


@st.composite
def bucketed(draw: Any) -> Bucketed:
    arguments: dict[str, Any] = {"order": draw(orders), "remainder": draw(remainders)}
    if draw(st.booleans()):
        boundaries = sorted(draw(st.sets(st.integers(1, MAX_LENGTH + 3), min_size=1, max_size=4)))
        arguments["boundaries"] = tuple(boundaries)
        buckets = len(boundaries) + 1
    else:
        buckets = arguments["num_buckets"] = draw(st.integers(1, 5))
    sizes = st.integers(1, 6)
    kind = draw(st.sampled_from(["one", "each", "cells"]))
    if kind == "cells":
        arguments["cells"] = draw(st.integers(MAX_LENGTH, 60))
    else:
        arguments["batch_size"] = draw(sizes if kind == "one" else st.tuples(*[sizes] * buckets))
    return Bucketed(**arguments)


padded = st.builds(
    Padded, st.integers(1, 8), order=st.sampled_from(["random", "given", "sorted"]), remainder=remainders
)
packed = st.one_of(
    st.builds(Packed, rows=st.integers(1, 6), steps=st.integers(MAX_LENGTH, 40), order=orders),
    st.builds(Packed, sequences=st.integers(1, 10), order=orders),
    st.builds(Packed, sequences=st.integers(1, 10), steps=st.integers(MAX_LENGTH, 40), order=orders),
)
layouts: st.SearchStrategy[Layout] = st.one_of(padded, bucketed(), packed)


@st.composite
def masks(draw: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """valid and reset of any grid: gaps, whole rows invalid, resets anywhere, on invalid cells too."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 8)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    valid = rng.random(shape) < draw(st.sampled_from([0.2, 0.7, 1.0]))
    return valid, rng.random(shape) < draw(st.sampled_from([0.0, 0.3]))
