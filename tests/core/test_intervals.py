"""The usual interval between steps, and gaps, against a plain loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone.core.intervals import Intervals, intervals_of
from tests.contract import strategies

STEPS = st.lists(st.lists(st.sampled_from([0, 1, 2, 3, 4, 10, 60]), max_size=12), min_size=1, max_size=5)
KINDS = ["int64", "uint32", "float64", "M8[s]", "M8[ns]"]


def times_of(steps, kind):
    series = [np.cumsum([first, *intervals]) for first, intervals in enumerate(steps)]
    return np.concatenate(series).astype(kind), np.array([len(times) for times in series])


def by_loop(steps):
    """Finds the same, one interval after the other."""
    found, position = [], 0
    for intervals in steps:
        for interval in intervals:
            position += 1
            if interval:
                found.append((position, interval))
        position += 1
    if not found:
        return None
    usual = sorted(interval for _, interval in found)[(len(found) - 1) // 2]
    gaps = [one for one in found if one[1] > 1.5 * usual]
    return Intervals(
        usual=usual,
        count=len(found),
        num_usual=sum(usual / 2 <= interval <= 1.5 * usual for _, interval in found),
        num_gaps=len(gaps),
        first_gap=gaps[0][0] if gaps else None,
        largest_gap=max(gaps, key=lambda one: one[1])[0] if gaps else None,
    )


@pytest.mark.parametrize("kind", KINDS)
@given(STEPS)
def test_it_finds_what_a_loop_finds(kind, steps):
    times, lengths = times_of(steps, kind)
    found, expected = intervals_of(times, lengths), by_loop(steps)
    if expected is None or found is None:
        assert found is expected
        return
    same = {name: getattr(found, name) for name in Intervals.__slots__} | {"usual": expected.usual}
    assert Intervals(**same) == expected
    assert found.usual == np.diff(np.array([0, expected.usual]).astype(kind))[0]


@given(strategies.lengths)
def test_even_times_have_no_gaps(lengths):
    times = np.concatenate([np.arange(length) * 7.0 - 3 for length in lengths])
    found = intervals_of(times, np.array(lengths))
    assert found is None or (found.num_usual, found.num_gaps, found.first_gap) == (found.count, 0, None)
