"""Statistics of fields, block by block, against NumPy over all values at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone import Sequences
from drystone.core import field as fields
from drystone.core.errors import DataError
from drystone.train.features.choose import changes
from drystone.train.features.numbers import check_finite, mean_and_spread


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(fields, "BLOCK_BYTES", 8 * 2 * 5)


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=8),
    seed=st.integers(0, 99),
    missing=st.sampled_from([0.0, 0.3, 1.0]),
    scale=st.sampled_from([1e-200, 1.0, 1e200]),
)
def test_mean_and_spread(lengths, seed, missing, scale):
    random = np.random.default_rng(seed)
    x = random.normal(3, 2, (sum(lengths), 2))
    x[random.random(x.shape) < missing] = np.nan
    seqs = Sequences.from_ragged(np.cumsum([0, *lengths]), {"x": x * scale})
    mean, spread = mean_and_spread(seqs, "x")
    for number in range(2):
        known = x[~np.isnan(x[:, number]), number]
        np.testing.assert_allclose(mean[number], known.mean() * scale if len(known) else 0.0, rtol=1e-12)
        expected = known.std() * scale if len(known) > 1 else 1.0
        np.testing.assert_allclose(spread[number], expected, rtol=1e-12)


def test_equal_numbers_have_the_spread_1_over_many_blocks():
    seqs = Sequences.from_arrays({"x": [np.full((50, 2), 0.1)]})
    np.testing.assert_array_equal(mean_and_spread(seqs, "x")[1], [1.0, 1.0])


def test_an_infinite_value_is_named_in_any_block():
    x = [np.zeros((4, 2)) for _ in range(9)]
    x[7][2, 1] = np.inf
    with pytest.raises(DataError, match=r"column 'x\[1\]' is inf in sequence 7, step 2"):
        check_finite(Sequences.from_arrays({"x": x}), "x", "features")


@pytest.mark.parametrize(("at", "expected"), [(None, False), (4, True), (9, True), (10, False), (19, True)])
def test_a_change_is_seen_across_blocks_and_not_across_sequences(at, expected):
    x = np.zeros(20)
    if at is not None:
        x[at:] = 1.0
    assert changes(Sequences.from_ragged([0, 10, 20], {"x": x}), "x") is expected
    words = np.where(x == 0, "a", "b")
    assert changes(Sequences.from_ragged([0, 10, 20], {"x": words}), "x") is expected
