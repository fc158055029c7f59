"""Positions of streams: continued at any batch, with nothing lost, repeated or read twice."""

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drystone import Batch, Bucketed, DataError, Loader, Padded, Stream
from drystone.testing import check_resume
from tests.contract import strategies
from tests.core.streams.sources import Tape, chunks, examples

LENGTHS = np.random.default_rng(3).integers(1, 9, 60)
BUCKETED = Bucketed(boundaries=(3, 6), batch_size=(4, 3, 2))


def numbers(batches: Any) -> list[list[int]]:
    return [batch.ends.sequence.tolist() for batch in batches]


def make(source: Any, layout: Any = BUCKETED, **arguments: Any) -> Loader:
    return Loader(Stream(source, buffer=13, longest_wait=25), layout, seed=4, **arguments)


@settings(max_examples=15)
@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=25),
    strategies.layouts,
    st.integers(1, 9),
    st.one_of(st.none(), st.integers(1, 12)),
    st.sampled_from([0, 2]),
    st.integers(0, 4),
)
def test_every_position_continues_as_if_nothing_had_stopped(
    lengths: list[int], layout: Any, buffer: int, wait: int | None, read_ahead: int, size: int
) -> None:
    def items() -> list[Any]:
        return chunks(lengths, [size]) if size else examples(lengths)

    def loader(source: Any) -> Loader:
        return Loader(Stream(source, buffer=buffer, longest_wait=wait), layout, seed=4, read_ahead=read_ahead)

    check_resume(lambda: loader(Tape(items())))
    check_resume(lambda: loader(items))
    check_resume(lambda: loader(lambda: Tape(items())))


def test_a_source_with_a_state_is_not_read_again() -> None:
    whole = make(Tape(examples(LENGTHS)))
    list(whole)
    batches = iter(whole)
    for _ in range(9):
        next(batches)
    state = whole.state_dict()
    rest = numbers(batches)
    source = Tape(examples(LENGTHS))
    again = make(source)
    again.load_state_dict(state)
    assert source.num_read == 0
    assert again.epoch == 1
    assert numbers(again) == rest
    assert source.num_read == len(LENGTHS) - state["window"]["source"]["items"]
    assert source.state["epoch"] == 2
    assert again.epoch == 2


def test_a_source_without_one_is_replayed_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    whole = make(examples(LENGTHS))
    batches = iter(whole)
    for _ in range(9):
        next(batches)
    state = whole.state_dict()
    rest = numbers(batches)
    again = make(iter(examples(LENGTHS)))
    again.load_state_dict(state)
    assert not caplog.records
    with caplog.at_level(logging.WARNING, "drystone"):
        assert numbers(again) == rest
    assert [record.getMessage() for record in caplog.records] == [
        f"the source has no state_dict() and load_state_dict(): its first {state['window']['source']['items']} "
        f"items are read again and skipped"
    ]


@pytest.mark.parametrize("others", [LENGTHS[::-1], LENGTHS[:10], [*LENGTHS[:5], *LENGTHS[6:], 3]])
def test_replaying_another_source_is_refused(others: Any) -> None:
    whole = make(examples(LENGTHS))
    for _ in zip(range(9), whole, strict=False):
        pass
    again = make(examples(others))
    again.load_state_dict(whole.state_dict())
    with pytest.raises(DataError, match="not the one that the position was saved with"):
        list(again)


def test_a_state_of_a_source_needs_a_source_that_takes_it() -> None:
    whole = make(Tape(examples(LENGTHS)))
    next(iter(whole))
    again = make(examples(LENGTHS))
    again.load_state_dict(whole.state_dict())
    with pytest.raises(DataError, match=r"no load_state_dict\(\)"):
        list(again)


@pytest.mark.parametrize("source", [Tape(examples(LENGTHS)), examples(LENGTHS), lambda: iter(examples(LENGTHS))])
@pytest.mark.parametrize("read_ahead", [0, 2])
def test_an_abandoned_pass_begins_again(source: Any, read_ahead: int) -> None:
    loader = make(source, read_ahead=read_ahead)
    first, second = numbers(loader), numbers(loader)
    assert first != second
    loader = make(source, read_ahead=read_ahead)
    assert numbers(loader) == first
    for number, _ in enumerate(loader):
        if number == 7:
            break
    assert numbers(loader) == second
    loader.epoch = 1
    for number, _ in enumerate(loader):
        if number == 3:
            break
    state = loader.state_dict()
    loader.load_state_dict(state)
    assert numbers(loader) == second[4:]
    again = make(source, read_ahead=read_ahead)
    again.load_state_dict(state)
    next(iter(again))
    assert numbers(again) == second


def test_after_an_error_of_the_source_the_position_goes_on_where_it_stopped() -> None:
    expected = numbers(make(Tape(examples(LENGTHS))))

    class Flaky(Tape):
        def __iter__(self) -> Iterator[Any]:
            for item in super().__iter__():
                if self.num_read == 40:
                    self.state["at"] -= 1
                    raise OSError("the network went away")
                yield item

    loader = make(Flaky(examples(LENGTHS)))
    found: list[list[int]] = []
    with pytest.raises(OSError, match="network"):
        found.extend(batch.ends.sequence.tolist() for batch in loader)
    assert sum(map(len, found)) >= 20
    loader.load_state_dict(loader.state_dict())
    found += numbers(loader)
    assert found == expected


def test_the_buffer_keeps_types_text_shapes_and_times() -> None:
    times = np.array(["2024-01-01", "NaT", "2024-01-03"], dtype="M8[ms]")
    items = [
        {"x": np.full((3, 2, 2), number, np.float32), "time": times, "flag": [True, False, True], "store": [1, number]}
        for number in range(6)
    ]

    def loader() -> Loader:
        return Loader(Stream(lambda: Tape(items), buffer=3, per_step=["x", "time", "flag"]), Padded(2), seed=1)

    def types(batch: Batch) -> list[Any]:
        return [(batch[name].dtype, batch[name].shape) for name in batch.field_names]

    check_resume(loader)
    whole = loader()
    expected = types(next(iter(whole)))
    again = loader()
    again.load_state_dict(whole.state_dict())
    assert [types(batch) for batch in again] == [expected] * 2
    assert [kind.str for kind, _ in expected] == ["<f4", "<M8[ms]", "|b1", "<i8"]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ({"window": "junk"}, "damaged"),
        ({"window": {"sequences": b"junk"}}, "buffer cannot be read"),
        ({"first": None}, "where it should say how far"),
        ({"batches": 99}, "batch 99 of a window that has"),
        ({"batches": -1}, "batches is -1"),
    ],
)
def test_damaged_positions_change_nothing(damage: dict[str, Any], words: str) -> None:
    loader = make(Tape(examples(LENGTHS)))
    next(iter(loader))
    before = loader.state_dict()
    with pytest.raises(DataError, match=words):
        loader.load_state_dict(before | damage)
    window = {**before["window"], "numbers": [1]}
    with pytest.raises(DataError, match="1 numbers for 13 sequences"):
        loader.load_state_dict(before | {"window": window})
    assert loader.state_dict() == before


def test_a_loaded_position_is_a_copy() -> None:
    loader = make(Tape(examples(LENGTHS)))
    next(iter(loader))
    state = loader.state_dict()
    loader.load_state_dict(state)
    before = repr(state)
    state["first"]["state"]["at"] = 7
    state["window"]["source"]["state"]["at"] = 7
    assert repr(loader.state_dict()) == before


def test_a_position_of_other_settings_is_refused() -> None:
    state = make(examples(LENGTHS)).state_dict()
    with pytest.raises(DataError, match=r"of a Stream\(buffer=13, longest_wait=25\); expected a Stream\(buffer=9"):
        Loader(Stream(examples(LENGTHS), buffer=9), BUCKETED, seed=4).load_state_dict(state)
    with pytest.raises(DataError, match="of seed 4; expected seed 0"):
        Loader(Stream(examples(LENGTHS), buffer=13, longest_wait=25), BUCKETED).load_state_dict(state)
