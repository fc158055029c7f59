"""Index arrays of batches, against a loop over the cells."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given

import drystone as ds
from drystone.keras.indices import ends_of, segment_of
from tests.contract import strategies


@given(strategies.lengths, strategies.whole_layouts)
def test_they_say_where_every_sequence_lies(lengths: Any, layout: ds.Layout) -> None:
    seqs = ds.Sequences.from_arrays({"x": [np.arange(length) for length in lengths]})
    for batch in ds.Loader(seqs, layout):
        numbers, steps = batch.sequence.reshape(-1), batch["x"].reshape(-1)
        count = len(batch.ends)
        ends = ends_of(batch.grid, count + 2)
        assert ends.dtype == np.int32
        assert ends[count:].tolist() == [-1, -1]
        assert numbers[ends[:count]].tolist() == batch.ends.sequence.tolist()
        assert steps[ends[:count]].tolist() == (lengths[batch.ends.sequence] - 1).tolist()
        segment = segment_of(batch.grid)
        assert segment.dtype == np.int32
        of_place = np.append(batch.ends.sequence, -1)
        assert (of_place[segment] == batch.sequence).all()
        assert ((segment >= 0) == batch.valid).all()


def test_gaps_within_a_sequence_are_no_steps_of_it() -> None:
    grid = ds.Grid.from_masks(reset=[[True, False, False, True]], valid=[[True, False, True, True]])
    assert segment_of(grid).tolist() == [[0, -1, 0, 1]]
    assert ends_of(grid, 2).tolist() == [2, 3]


def test_too_many_ends_are_refused() -> None:
    grid = ds.Grid.from_masks(reset=[[True, True]], valid=[[True, True]])
    with pytest.raises(ds.ShapeError, match="2 sequences end in this batch; num_ends=1 has no place for all"):
        ends_of(grid, 1)


def test_sequences_of_several_batches_have_an_end_and_no_segment() -> None:
    grid = ds.Grid.from_masks(reset=[[False, True, False]], valid=[[True, True, True]])
    assert ends_of(grid, 2).tolist() == [0, 2]
    with pytest.raises(ds.ShapeError, match="whole in one batch; sequence 0 in row 0 starts before this one"):
        segment_of(grid)
