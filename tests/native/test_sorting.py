"""Keys are sorted as NumPy sorts them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drystone import native
from drystone.native.sorting import FEW


@pytest.mark.skipif(not native.is_built, reason="there is no native core to compare with")
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 3 * FEW), st.integers(0, 20), st.integers(0, 2**32 - 1))
def test_sort_keys(count: int, group_bits: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    low_bits = max(count - 1, 1).bit_length()
    keys = rng.integers(0, 1 << 63, count, dtype=np.uint64) >> np.uint64(rng.integers(0, 40))
    keys &= ~np.uint64((1 << low_bits) - 1)
    keys |= np.arange(count, dtype=np.uint64)
    keys |= rng.integers(0, 1 << group_bits, count, dtype=np.uint64) << np.uint64(64 - max(group_bits, 1))
    expected = np.sort(keys)
    native.sort_keys(keys, low_bits)
    assert (keys == expected).all()
