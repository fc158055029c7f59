"""The loader: passes are epochs, positions are exact, reading ahead changes nothing."""

import gc
import threading
from typing import Any

import numpy as np
import pytest

from drystone import Bucketed, DataError, DrystoneError, LayoutError, Loader, Packed, Padded, Sequences


def sequences(count: int = 20) -> Sequences:
    rng = np.random.default_rng(0)
    return Sequences.from_arrays({"x": [rng.normal(size=length) for length in rng.integers(1, 9, count)]})


def contents(loader: Loader) -> list[bytes]:
    return [batch["x"].tobytes() + batch.sequence.tobytes() for batch in loader]


@pytest.mark.parametrize("read_ahead", [0, 1, 5])
def test_each_pass_is_the_next_epoch(read_ahead: int) -> None:
    seqs = sequences()
    loader = Loader(seqs, Padded(4), seed=3, read_ahead=read_ahead)
    first, second = contents(loader), contents(loader)
    assert loader.epoch == 2
    assert first != second
    assert len(first) == len(loader) == 5
    again = Loader(seqs, Padded(4), seed=3)
    again.epoch = 1
    assert contents(again) == second


@pytest.mark.parametrize("read_ahead", [0, 3])
def test_saved_at_every_batch_and_restored_the_rest_is_equal(read_ahead: int) -> None:
    seqs = sequences()
    loader = Loader(seqs, Packed(sequences=3), seed=1, read_ahead=read_ahead)
    contents(loader)
    states, rest = [loader.state_dict()], []
    for batch in loader:
        rest.append(batch["x"].tobytes() + batch.sequence.tobytes())
        states.append(loader.state_dict())
    assert [state["batches"] for state in states] == list(range(8))
    for delivered, state in enumerate(states):
        other = Loader(seqs, Packed(sequences=3), seed=1)
        other.load_state_dict(state)
        assert other.state_dict() == state
        assert contents(other) == rest[delivered:]
        assert other.epoch == 2
        assert len(contents(other)) == 7


def test_an_unfinished_pass_does_not_move_the_epoch() -> None:
    loader = Loader(sequences(), Padded(4))
    whole = contents(loader)
    loader.epoch = 0
    for number, _ in enumerate(loader):
        if number == 2:
            break
    assert loader.epoch == 0
    assert loader.state_dict()["batches"] == 3
    assert contents(loader) == whole


def test_a_second_live_pass_is_an_error() -> None:
    loader = Loader(sequences(), Padded(4))
    live = iter(loader)
    next(live)
    with pytest.raises(DrystoneError, match="still going on"):
        iter(loader)
    live.close()
    assert len(contents(loader)) == 5
    with pytest.raises(StopIteration):
        next(live)


def test_an_abandoned_pass_leaves_no_thread_behind() -> None:
    loader = Loader(sequences(), Padded(2), read_ahead=4)
    for _ in loader:
        break
    gc.collect()
    for thread in threading.enumerate():
        if thread.name.startswith("drystone-reader"):
            thread.join(5)
            assert not thread.is_alive()


def test_errors_while_reading_ahead_come_where_they_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    from drystone.core import loader as module

    real = module.collate

    def failing(seqs: Any, plan: Any, index: int, **rest: Any) -> Any:
        if index == 2:
            raise OSError("the disk went away")
        return real(seqs, plan, index, **rest)

    monkeypatch.setattr(module, "collate", failing)
    loader = Loader(sequences(), Padded(4), read_ahead=4)
    batches = iter(loader)
    next(batches)
    next(batches)
    with pytest.raises(OSError, match="disk"):
        next(batches)
    assert loader.state_dict()["batches"] == 2
    assert loader.epoch == 0


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (Loader(sequences(), Padded(5)), "layout"),
        (Loader(sequences(), Padded(4), seed=9), "seed"),
        (Loader(sequences(19), Padded(4)), "lengths"),
    ],
)
def test_a_position_of_another_loader_is_refused(other: Loader, words: str) -> None:
    with pytest.raises(DataError, match=f"the saved position has {words}"):
        Loader(sequences(), Padded(4)).load_state_dict(other.state_dict())


def test_the_position_cannot_change_under_a_live_pass() -> None:
    loader = Loader(sequences(), Padded(4))
    state = loader.state_dict()
    live = iter(loader)
    next(live)
    with pytest.raises(DrystoneError, match="still going on"):
        loader.load_state_dict(state)
    with pytest.raises(DrystoneError, match="still going on"):
        loader.epoch = 3
    live.close()
    loader.epoch = 3
    assert (loader.state_dict()["epoch"], loader.state_dict()["batches"]) == (3, 0)


def test_equal_layouts_accept_each_others_positions() -> None:
    seqs = sequences()
    lists = Bucketed(boundaries=[3, 6], batch_size=[np.int64(4), 3, 2])
    tuples = Bucketed(boundaries=(3, 6), batch_size=(4, 3, 2))
    assert lists == tuples
    assert hash(lists) == hash(tuples)
    Loader(seqs, lists).load_state_dict(Loader(seqs, tuples).state_dict())
    Loader(seqs, Padded(np.int64(4))).load_state_dict(Loader(seqs, Padded(4)).state_dict())  # type: ignore[arg-type]


@pytest.mark.parametrize("damage", [{"batches": "3"}, {"epoch": None}, {"epoch": 7, "batches": 99}])
def test_damaged_positions_change_nothing(damage: dict[str, Any]) -> None:
    loader = Loader(sequences(), Padded(4))
    with pytest.raises(DataError, match="saved position"):
        loader.load_state_dict(loader.state_dict() | damage)
    assert loader.epoch == 0


def test_positions_beyond_the_epoch_and_bad_arguments_are_refused() -> None:
    loader = Loader(sequences(), Padded(4))
    with pytest.raises(DataError, match="batch 6; epoch 0 has 5"):
        loader.load_state_dict(loader.state_dict() | {"batches": 6})
    assert loader.epoch == 0
    with pytest.raises(DataError, match="no field 'z'"):
        Loader(sequences(), Padded(4), fields=["z"])
    with pytest.raises(LayoutError, match="read_ahead"):
        Loader(sequences(), Padded(4), read_ahead=-1)
