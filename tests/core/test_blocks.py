"""The values of a field, a block at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone import Sequences
from drystone.core import field as fields

LENGTHS = st.lists(st.integers(1, 7), min_size=1, max_size=12)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(fields, "BLOCK_BYTES", 8 * 5)


def sequences(lengths: list[int]) -> Sequences:
    x = [np.arange(length) + 10.0 * index for index, length in enumerate(lengths)]
    words = [[f"{index} {step}" for step in range(length)] for index, length in enumerate(lengths)]
    return Sequences.from_arrays({"x": x, "word": words}, {"y": np.arange(len(lengths)) / 4})


@given(lengths=LENGTHS, data=st.data(), overlap=st.integers(0, 2))
def test_blocks_hold_all_values_once_and_repeat_what_was_asked(lengths, data, overlap):
    seqs = sequences(lengths)
    chosen = data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=9))
    for some in (seqs, seqs.select(chosen), seqs.truncate(3), seqs.ahead("x", [1, 2], name="next")):
        for name in some.field_names:
            values = some.field(name).values
            stop = 0
            for first, block in some.field(name).blocks(overlap):
                assert first == max(0, stop - overlap)
                stop = first + len(block.values)
                np.testing.assert_array_equal(block.values, values[first:stop])
            assert stop == len(values)


def test_blocks_are_bounded():
    sizes = [len(block.values) for _, block in sequences([7, 7, 7]).field("x").blocks()]
    assert sizes == [5, 5, 5, 5, 1]


@given(lengths=LENGTHS)
def test_fingerprints_are_those_of_all_values_at_once(lengths):
    seqs = sequences(lengths).select(np.arange(len(lengths))[::-1])
    in_blocks = seqs.fingerprint()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fields, "BLOCK_BYTES", 1 << 20)
        assert seqs.fingerprint() == in_blocks
