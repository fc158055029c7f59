"""Masks in C++ are those in NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone import native
from drystone.native import numpy_masks


@pytest.mark.skipif(not native.is_built, reason="there is no native core to compare with")
@given(st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_fill_masks(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 9, count)
    gaps = rng.integers(0, 3, count)
    cells = np.cumsum(lengths + gaps) - lengths
    is_first = rng.random(count) < 0.7
    size = int((lengths + gaps).sum()) + int(rng.integers(0, 5))
    found, expected = np.ones((2, size), bool), np.ones((2, size), bool)
    native.fill_masks(cells, lengths, is_first, *found)
    numpy_masks.fill_masks(cells, lengths, is_first, *expected)
    assert (found == expected).all()


@pytest.mark.parametrize(("cell", "length"), [(-1, 1), (0, 0), (2, 3), (5, 1), (1, 2**62)])
def test_a_span_that_leaves_the_grid_is_named(cell: int, length: int) -> None:
    cells, lengths = np.array([0, cell]), np.array([1, length])
    valid, reset = np.zeros((2, 4), bool)
    with pytest.raises(IndexError, match=f"span 1 has {length} cells from cell {cell} of 4"):
        native.fill_masks(cells, lengths, np.array([True, True]), valid, reset)
    assert not valid.any()
