"""Hypothesis strategies: lengths, layouts, seeds, masks and carried plans."""

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from drystone.core.layouts import Bucketed, Layout, Packed, Padded, Stateful
from drystone.core.plan import Plan
from drystone.core.plan_columns import SPAN_COLUMNS

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
    kind = draw(st.sampled_from(["one", "each", "cells", "cost", "both"]))
    longest = max((MAX_LENGTH, *arguments.get("boundaries", ())))
    if kind in ("cells", "both"):
        arguments["cells"] = draw(st.integers(longest, 60))
    if kind == "cost":
        arguments["quadratic_steps"] = draw(st.integers(1, 20))
        arguments["cost"] = draw(st.integers(longest + longest**2, 1_000))
    if kind in ("one", "each", "both"):
        arguments["batch_size"] = draw(st.tuples(*[sizes] * buckets) if kind == "each" else sizes)
    largest = np.max(arguments.get("batch_size", 4))
    arguments["batch_multiple"] = draw(st.integers(1, min(4, int(largest))))
    arguments["max_padding"] = draw(st.sampled_from([None, 0.0, 0.1, 0.5]))
    arguments["pad_to"] = draw(st.sampled_from(["longest", "boundary"]))
    return Bucketed(**arguments)


padded = st.builds(
    Padded, st.integers(1, 8), order=st.sampled_from(["random", "given", "sorted"]), remainder=remainders
)
gaps = st.integers(0, 2)
packed = st.one_of(
    st.builds(
        Packed,
        rows=st.integers(1, 6),
        steps=st.integers(MAX_LENGTH, 40),
        order=orders,
        remainder=remainders,
        gap=gaps,
        constant_shape=st.booleans(),
    ),
    st.builds(
        lambda given, **rest: Packed(**given, **rest),
        st.one_of(
            st.builds(dict, sequences=st.integers(1, 10), row_multiple=st.integers(1, 4)),
            st.builds(dict, sequences=st.integers(1, 10), steps=st.integers(MAX_LENGTH, 40)),
            st.builds(dict, sequences=st.integers(6, 10), rows=st.integers(1, 6)),
        ),
        order=orders,
        remainder=remainders,
        gap=gaps,
        constant_shape=st.booleans(),
    ),
)
packed_long = st.builds(
    Packed,
    rows=st.integers(1, 6),
    steps=st.integers(1, 15),
    order=orders,
    remainder=remainders,
    gap=gaps,
    long=st.just("stateful"),
)
stateful = st.builds(Stateful, rows=st.integers(1, 6), steps=st.integers(1, 15), order=orders, remainder=remainders)
whole_layouts: st.SearchStrategy[Layout] = st.one_of(padded, bucketed(), packed)
layouts: st.SearchStrategy[Layout] = st.one_of(whole_layouts, stateful, packed_long)


@st.composite
def carried_plans(draw: Any) -> Plan:
    """Rows of whole sequences end to end, cut into batches of equal steps, so that sequences go on across batches.

    Invalid cells may lie anywhere, also between two spans of one sequence, and may fill a row of a batch.
    """
    found = draw(lengths)
    num_rows, steps = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    gaps = draw(st.sampled_from([st.just(0), st.sampled_from([0, 0, 0, 1, 2, 7])]))
    ends = [0] * num_rows
    spans: list[tuple[int, ...]] = []
    for sequence, length in enumerate(found.tolist()):
        row = draw(st.integers(0, num_rows - 1))
        offset = 0
        while offset < length:
            ends[row] += draw(gaps)
            batch, step = divmod(ends[row], steps)
            part = min(length - offset, steps - step)
            spans.append((batch, row, step, sequence, offset, part))
            offset += part
            ends[row] += part
    columns = np.array(sorted(spans), dtype=np.int64).T
    num_batches = -(-max(ends) // steps)
    shape = {"rows": [num_rows] * num_batches, "steps": [steps] * num_batches, "update": list(range(num_batches))}
    cells = [num_rows * steps] * num_batches
    return Plan(
        table=pa.table(dict(zip(SPAN_COLUMNS, columns, strict=True))),
        batches=pa.table(shape | {"cells": cells, "cost": cells}),
        dropped=nothing_dropped(),
        lengths=found,
    )


def nothing_dropped() -> pa.Table:
    columns = {name: pa.array([], pa.int64()) for name in ("sequence", "offset", "length")}
    return pa.table(columns | {"reason": pa.array([], pa.string())})


@st.composite
def masks(draw: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """valid and reset of any grid: gaps, whole rows invalid, resets anywhere, on invalid cells too."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 8)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    valid = rng.random(shape) < draw(st.sampled_from([0.2, 0.7, 1.0]))
    return valid, rng.random(shape) < draw(st.sampled_from([0.0, 0.3]))
