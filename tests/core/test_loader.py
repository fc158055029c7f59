"""The loader: passes are epochs, positions are exact, reading ahead changes nothing."""

import gc
import json
import threading
from typing import Any

import numpy as np
import pytest

from drystone import (
    Bucketed,
    DataError,
    DrystoneError,
    LayoutError,
    Loader,
    Packed,
    Padded,
    Sequences,
    Stateful,
    Stream,
)
from drystone.testing import check_resume


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


@pytest.mark.parametrize("data", [sequences(), Stream(lambda: iter(sequences()), buffer=4)], ids=["whole", "stream"])
def test_batches_say_their_epoch(data: Sequences | Stream) -> None:
    loader = Loader(data, Stateful(rows=2, steps=3), seed=1)
    loader.epoch = 3
    said = [{batch.epoch for batch in loader} for _ in range(2)]
    assert said == [{3}, {4}]


@pytest.mark.parametrize("read_ahead", [0, 3])
def test_saved_at_every_batch_and_restored_the_rest_is_equal(read_ahead: int) -> None:
    seqs = sequences()
    check_resume(lambda: Loader(seqs, Packed(sequences=3), seed=1, read_ahead=read_ahead))
    check_resume(lambda: Loader(seqs, Stateful(rows=3, steps=4), seed=1, read_ahead=read_ahead))


def test_positions_count_what_was_delivered_and_are_what_they_restore() -> None:
    seqs = sequences()
    loader = Loader(seqs, Packed(sequences=3), seed=1)
    states = [loader.state_dict(), *(loader.state_dict() for _ in loader)]
    assert [state["batches"] for state in states] == list(range(8))
    for state in [*states, loader.state_dict()]:
        other = Loader(seqs, Packed(sequences=3), seed=1)
        other.load_state_dict(state)
        assert other.state_dict() == state


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


def test_a_loaded_position_holds_for_one_pass() -> None:
    loader = Loader(sequences(), Padded(4))
    whole = contents(loader)
    loader.epoch = 0
    next(batches := iter(loader))
    state = loader.state_dict()
    batches.close()
    loader.load_state_dict(state)
    next(batches := iter(loader))
    batches.close()
    assert loader.state_dict()["batches"] == 2
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
    from drystone.core import feed as module

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


def other_lengths() -> Sequences:
    seqs = sequences()
    swapped = np.arange(20)
    swapped[[0, 1]] = 1, 0
    assert seqs.lengths[0] != seqs.lengths[1]
    return seqs.select(swapped)


PADDED = "Padded(batch_size=4)"


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        (
            Loader(sequences(), Padded(5)),
            f"is of Padded(batch_size=5); expected {PADDED}.",
        ),
        (Loader(sequences(), Padded(4), seed=9), "is of seed 9; expected seed 0."),
        (
            Loader(sequences(19), Padded(4), seed=9),
            "is of seed 9 and 19 sequences with 90 steps; expected seed 0 and 20 sequences with 98 steps.",
        ),
        (
            Loader(other_lengths(), Padded(4)),
            "is of 20 sequences with 98 steps; expected as many, of other lengths.",
        ),
        (
            Loader(Stream([], buffer=5), Padded(4)),
            "is of a Stream(buffer=5, longest_wait=32768); expected 20 sequences with 98 steps.",
        ),
    ],
)
def test_a_position_of_another_loader_is_refused(saved: Loader, words: str) -> None:
    loader = Loader(sequences(), Padded(4))
    before = loader.state_dict()
    with pytest.raises(DataError) as caught:
        loader.load_state_dict(saved.state_dict())
    assert str(caught.value) == f"the saved position {words}"
    assert loader.state_dict() == before


def test_positions_of_aligned_series_depend_on_their_times() -> None:
    def loader(*times: list[int]) -> Loader:
        return Loader(Sequences.from_arrays({"time": list(times)}), Stateful(2, 2, align="time"))

    check_resume(lambda: loader([1, 2, 4], [2, 3]))
    assert [batch["time"].tolist() for batch in loader([1, 2, 4], [2, 3])] in (
        [[[1, 2], [0, 2]], [[0, 4], [3, 0]]],
        [[[0, 2], [1, 2]], [[3, 0], [0, 4]]],
    )
    with pytest.raises(DataError, match="is of 2 sequences with 5 steps; expected as many, of other times"):
        loader([1, 2, 4], [2, 3]).load_state_dict(loader([1, 2, 4], [2, 4]).state_dict())


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ({"version": 1}, "of version 1; this drystone reads version 2"),
        ({"data": None}, "damaged: it says nothing of its data"),
        ({"batches": "3"}, "batches is '3'"),
        ({"batches": True}, "batches is True"),
        ({"epoch": None}, "epoch is None"),
        ({"epoch": 7, "batches": 99}, "batch 99; epoch 7 has 5"),
    ],
)
def test_damaged_positions_change_nothing(damage: dict[str, Any], words: str) -> None:
    loader = Loader(sequences(), Padded(4))
    before = loader.state_dict()
    with pytest.raises(DataError, match=words):
        loader.load_state_dict(before | damage)
    assert loader.state_dict() == before


def test_a_position_is_small_plain_data_that_progress_does_not_change() -> None:
    loader = Loader(sequences(), Padded(4))
    batches = iter(loader)
    next(batches)
    state = loader.state_dict()
    written = json.dumps(state)
    list(batches)
    assert json.dumps(state) == written
    assert len(written) < 300
    other = Loader(sequences(), Padded(4))
    other.load_state_dict(json.loads(written))
    assert len(list(other)) == 4


def test_what_was_left_out_is_told_at_the_end() -> None:
    loader = Loader(sequences(18), Padded(4, remainder="drop"))
    assert loader.dropped is None
    plan = loader.plan
    assert len(list(loader)) == 4
    assert loader.dropped is not None
    assert loader.dropped.equals(plan.dropped)
    assert loader.dropped.num_rows == 2


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


def test_positions_beyond_the_epoch_and_bad_arguments_are_refused() -> None:
    loader = Loader(sequences(), Padded(4))
    with pytest.raises(DataError, match="batch 6; epoch 0 has 5"):
        loader.load_state_dict(loader.state_dict() | {"batches": 6})
    assert loader.epoch == 0
    with pytest.raises(DataError, match="no field 'z'"):
        Loader(sequences(), Padded(4), fields=["z"])
    with pytest.raises(LayoutError, match="read_ahead"):
        Loader(sequences(), Padded(4), read_ahead=-1)


def test_a_loader_shows_its_settings() -> None:
    words = repr(Loader(sequences(), Padded(4), seed=3))
    assert words == f"Loader(20 sequences with {sequences().num_steps} steps, Padded(batch_size=4), seed=3, epoch=0)"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([3, 1], Padded(2)), "seqs must be Sequences or a Stream; got list"),
        ((Padded(2), sequences()), "got Padded"),
        ((sequences(), Padded), "layout must be a layout such as .*; got the class Padded"),
        ((sequences(), 4), "got int"),
    ],
)
def test_other_kinds_are_refused(arguments: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Loader(*arguments)
