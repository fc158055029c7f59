"""Arrangements hold each sequence once, and halves tell any two apart."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone.audit.arrangement import Takes, halves, ways

LENGTHS = st.lists(st.integers(1, 6), min_size=2, max_size=6)


@given(LENGTHS, st.sampled_from(["lengths", "mask", "batch"]), st.integers(0, 3), st.randoms())
def test_each_way_holds_every_sequence_once(lengths: list[int], takes: Takes, extra: int, random: Random) -> None:
    order = list(range(len(lengths)))
    random.shuffle(order)
    found = ways(takes, lengths, order=order, extra=extra)
    assert len(found) == {"lengths": 1, "mask": 2, "batch": 3}[takes]
    for way in found:
        grid = way.grid()
        assert np.bincount(grid.sequence[grid.valid]).tolist() == lengths
        assert grid.ends.sequence.tolist() == order
        assert grid.reset.sum() == len(lengths)
        assert (~grid.valid[:, -extra:]).all() or "before" in way.words or not extra


@given(LENGTHS, st.sampled_from(["lengths", "mask", "batch"]), st.data())
def test_leaving_sequences_out_keeps_columns(lengths: list[int], takes: Takes, data: st.DataObject) -> None:
    kept = data.draw(st.sets(st.sampled_from(range(len(lengths))), min_size=1))
    for way in ways(takes, lengths, order=range(len(lengths)), extra=1):
        rest = way.only(kept, "some")
        assert rest.num_steps == way.num_steps
        starts = dict(zip(way.sequences, way.starts, strict=True))
        assert dict(zip(rest.sequences, rest.starts, strict=True)) == {number: starts[number] for number in kept}
        assert rest.grid().valid.any(axis=1).all()


@given(LENGTHS, st.booleans(), st.data())
def test_junk_lies_where_it_is_asked_for(lengths: list[int], in_padding: bool, data: st.DataObject) -> None:
    chosen = frozenset(data.draw(st.sets(st.sampled_from(range(len(lengths))))))
    for way in ways("batch", lengths, order=range(len(lengths)), extra=1):
        sequence = way.grid().sequence
        expected = [[number in chosen or (number < 0 and in_padding) for number in row] for row in sequence.tolist()]
        assert replace(way, junk_in=chosen, junk_in_padding=in_padding).junk().tolist() == expected


@pytest.mark.parametrize("count", range(2, 20))
def test_for_any_two_a_half_holds_one_without_the_other(count: int) -> None:
    found = list(halves(count))
    for one in range(count):
        for other in range(count):
            assert one == other or any(one in half and other not in half for half in found)
    assert all(found)
