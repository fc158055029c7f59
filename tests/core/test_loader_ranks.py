"""Loaders of ranks: together they deliver what one loader does, and their positions are of all ranks."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone import Layout, Loader, Packed, Padded, PlanError, Sequences, Stateful, Stream, StreamError
from drystone.core.batch import Batch
from tests.contract import strategies


def sequences(lengths: "np.ndarray[Any, np.dtype[np.int64]]") -> Sequences:
    values = np.arange(lengths.sum()) + 1.0
    return Sequences.from_arrays(
        {"x": np.split(values, np.cumsum(lengths)[:-1])},
        {"y": np.arange(len(lengths)) * 10, "id": ["a"] * len(lengths)},
    )


def steps_of(batch: Batch) -> list[tuple[int, int, float]]:
    """Each step of a batch: its column, sequence and value."""
    columns = np.nonzero(batch.valid)[1]
    found = zip(columns.tolist(), batch.sequence[batch.valid].tolist(), batch["x"][batch.valid].tolist(), strict=True)
    return sorted(found)


def ends_of(batch: Batch) -> list[tuple[int, int]]:
    return sorted(zip(batch.ends.sequence.tolist(), batch["y"].tolist(), strict=True))


@given(strategies.lengths, strategies.layouts, st.integers(1, 5), st.integers(0, 2))
def test_the_ranks_together_deliver_what_one_loader_does(
    lengths: Any, layout: Layout, num_ranks: int, epoch: int
) -> None:
    seqs = sequences(lengths)
    loaders = [Loader(seqs, layout, rank=rank, num_ranks=num_ranks) for rank in range(num_ranks)]
    whole = Loader(seqs, layout)
    for loader in (whole, *loaders):
        loader.epoch = epoch
    assert all(len(loader) == len(whole) for loader in loaders)
    for batch, *parts in zip(whole, *loaders, strict=True):
        assert sorted(step for part in parts for step in steps_of(part)) == steps_of(batch)
        assert sorted(end for part in parts for end in ends_of(part)) == ends_of(batch)
        assert len({part.shape for part in parts}) == 1
    assert all(loader.epoch == epoch + 1 for loader in loaders)


@given(strategies.lengths, strategies.layouts, st.integers(1, 4), st.integers(1, 4), st.data())
def test_a_position_of_one_rank_is_that_of_any_rank_of_any_number(
    lengths: Any, layout: Layout, before: int, after: int, data: Any
) -> None:
    seqs = sequences(lengths)
    saved = Loader(seqs, layout, seed=3, rank=before - 1, num_ranks=before, read_ahead=0)
    number = data.draw(st.integers(0, len(saved)))
    passing = iter(saved)
    for _ in range(number):
        next(passing)
    state = saved.state_dict()
    passing.close()
    whole = Loader(seqs, layout, seed=3)
    whole.load_state_dict(state)
    loaders = [Loader(seqs, layout, seed=3, rank=rank, num_ranks=after) for rank in range(after)]
    for loader in loaders:
        loader.load_state_dict(state)
        assert loader.state_dict() == state
    for batch, *parts in zip(whole, *loaders, strict=True):
        assert sorted(step for part in parts for step in steps_of(part)) == steps_of(batch)


def test_a_loader_becomes_that_of_another_rank_where_it_stands() -> None:
    seqs = sequences(np.array([5, 3, 4, 2, 2]))
    loader = Loader(seqs, Stateful(rows=2, steps=2), seed=1, fields="x")
    next(passing := iter(loader))
    passing.close()
    share = loader.share(1, 2)
    assert (share.rank, share.num_ranks, share.plan.rank) == (1, 2, 1)
    assert share.state_dict() == loader.state_dict()
    again = share.share(0, 1)
    assert [steps_of(batch) for batch in again] == [steps_of(batch) for batch in loader][1:]
    assert list(next(iter(share)).field_names) == ["x"]
    assert repr(share).endswith("epoch=0, rank=1 of 2)")


def test_a_batch_is_picked_out_by_its_number_and_the_position_stays() -> None:
    loader = Loader(sequences(np.array([5, 3, 4])), Packed(rows=1, steps=6), rank=0, num_ranks=2)
    position = loader.state_dict()
    batches = [loader.batch(number) for number in range(len(loader))]
    assert loader.state_dict() == position
    assert [steps_of(batch) for batch in batches] == [steps_of(batch) for batch in loader]
    with pytest.raises(IndexError, match="there is no batch"):
        loader.batch(99)


def test_a_rank_without_rows_has_all_batches() -> None:
    loader = Loader(sequences(np.array([5, 3, 4])), Padded(2, order="given"), rank=3, num_ranks=4)
    assert [(batch.shape, batch.valid.any(), len(batch["y"])) for batch in loader] == [
        ((1, 5), False, 0),
        ((1, 4), False, 0),
    ]


@pytest.mark.parametrize(
    ("rank", "num_ranks", "words"),
    [(2, 2, "Loader: rank must be one of 0 … num_ranks − 1; got rank 2 of 2"), (0, 0, "of 0"), (0, 1.0, "got 1.0")],
)
def test_ranks_that_cannot_be_are_refused(rank: Any, num_ranks: Any, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        Loader(sequences(np.array([1])), Padded(2), rank=rank, num_ranks=num_ranks)


def test_a_stream_is_not_shared_out() -> None:
    stream = Stream(lambda: iter([{"x": [1.0]}]), buffer=2)
    with pytest.raises(StreamError, match="no rows to share out to ranks"):
        Loader(stream, Padded(2), num_ranks=2)
    with pytest.raises(StreamError, match="no batch to pick out"):
        Loader(stream, Padded(2)).batch(0)
