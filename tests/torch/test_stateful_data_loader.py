"""torchdata's StatefulDataLoader resumes our batches in mid-epoch, though its workers run ahead."""

import json
from typing import Any

import numpy as np
import pytest

import drystone as ds
from drystone.torch import BatchSampler, Collate, Placed
from tests.torch.own_data import LENGTHS, Own, assert_equal

stateful_dataloader = pytest.importorskip("torchdata.stateful_dataloader")

# torchdata 0.11 calls what torch 2.13 calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:'set_vital' is deprecated:UserWarning")

LAYOUTS = [ds.Packed(sequences=4), ds.Stateful(rows=3, steps=7)]


def loader_of(layout: ds.Layout, **options: Any) -> Any:
    sampler = BatchSampler(LENGTHS, layout, seed=2)
    return stateful_dataloader.StatefulDataLoader(
        Placed(Own(LENGTHS)), batch_sampler=sampler, collate_fn=Collate(), **options
    )


def plain(state: Any) -> Any:
    """A copy, as a checkpoint would hold it."""
    return json.loads(json.dumps(state))


def assert_resumes(loader: Any, make: Any, epochs: int, only: set[int]) -> None:
    """Saves at batches of the first epoch, restores each, and compares the rest of all epochs."""
    states, delivered = {0: plain(loader.state_dict())}, []
    for epoch in range(epochs):
        for batch in loader:
            delivered.append(batch)
            if epoch == 0:
                states[len(delivered)] = plain(loader.state_dict())
    for position in sorted(only & states.keys()):
        other = make()
        other.load_state_dict(states[position])
        rest = [batch for _ in range(epochs) for batch in other]
        assert len(rest) == len(delivered) - position
        for found, expected in zip(rest, delivered[position:], strict=True):
            assert_equal(found, expected)


@pytest.mark.parametrize("layout", LAYOUTS, ids=["packed", "stateful"])
@pytest.mark.parametrize("every", [1, 3])
def test_resumes_at_every_batch(layout: ds.Layout, every: int) -> None:
    def make() -> Any:
        return loader_of(layout, snapshot_every_n_steps=every)

    assert_resumes(make(), make, epochs=2, only=set(range(99)))


@pytest.mark.parametrize(("layout", "every"), [(LAYOUTS[0], 1), (LAYOUTS[1], 2)], ids=["packed", "stateful"])
@pytest.mark.parametrize("persistent", [False, True], ids=["fresh", "persistent"])
def test_resumes_with_workers_that_run_ahead(layout: ds.Layout, every: int, persistent: bool) -> None:
    def make() -> Any:
        return loader_of(layout, num_workers=2, snapshot_every_n_steps=every, persistent_workers=persistent)

    last = layout.plan(LENGTHS, 2).num_batches
    assert_resumes(make(), make, epochs=2, only={0, 1, 3, last})


def test_saved_after_an_epoch_it_goes_on_with_the_next() -> None:
    for workers in (0, 2):
        loader = loader_of(LAYOUTS[0], num_workers=workers)
        for _ in loader:
            pass
        other = loader_of(LAYOUTS[0], num_workers=workers)
        other.load_state_dict(plain(loader.state_dict()))
        for found, expected in zip(other, loader, strict=True):
            assert_equal(found, expected)
        assert other.batch_sampler.epoch == 2


def test_a_pass_that_was_left_does_not_shift_the_next() -> None:
    loader = loader_of(LAYOUTS[0], num_workers=1, prefetch_factor=2)
    for _ in loader:
        break
    rest = iter(loader)
    start = plain(loader.state_dict())
    other = loader_of(LAYOUTS[0], num_workers=1, prefetch_factor=2)
    other.load_state_dict(start)
    for found, expected in zip(other, rest, strict=True):
        assert_equal(found, expected)


def test_a_state_of_other_lengths_is_refused() -> None:
    state = loader_of(LAYOUTS[0]).state_dict()
    sampler = BatchSampler(LENGTHS + np.arange(len(LENGTHS)), LAYOUTS[0], seed=2)
    other = stateful_dataloader.StatefulDataLoader(Placed(Own(LENGTHS)), batch_sampler=sampler, collate_fn=Collate())
    other.load_state_dict(state)
    with pytest.raises(ds.DataError, match="the saved position is of .* expected "):
        iter(other)
