"""Sources and items that cannot be used: errors in words, where they belong, and clean stops."""

import gc
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from drystone import DataError, LayoutError, Loader, Packed, Padded, Sequences, Stateful, Stream
from tests.core.streams.sources import examples

GOOD = examples([2, 3])


def numbers(source: Any, **arguments: Any) -> list[int]:
    stream = Stream(source, **{"buffer": 2} | arguments)
    return [number for batch in Loader(stream, Padded(1, order="given")) for number in batch.ends.sequence]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (5, "it is of type int; expected a dict of fields, or Sequences"),
        ({}, "field 'x' is missing; it has no fields"),
        ({**GOOD[0], "z": 1}, "field 'z' is not in the first item, which has x, token, y, name"),
        ({name: GOOD[0][name] for name in ("x", "token", "y")}, "field 'name' is missing; it has x, token, y"),
        (
            {**GOOD[0], "x": np.zeros((2, 3), np.float32)},
            r"field 'x' holds float32\[3\]; in the first item float32\[2\]",
        ),
        ({**GOOD[0], "x": np.zeros((4, 2), np.float32)}, "field 'x' has 4 steps and field 'token' has 2.*per_step="),
        ({**GOOD[0], "x": [[1, 2], [3]]}, "field 'x' is ragged inside one step"),
        ({**GOOD[0], "x": 1.0}, "field 'x' is the single value 1.0; expected one value a step"),
        ({**GOOD[0], "x": np.zeros((0, 2), np.float32), "token": []}, "field 'x' has 0 steps"),
        ({**GOOD[0], "y": 0.5}, "field 'y' holds float64; in the first item int64"),
        ({**GOOD[0], "y": "one"}, "field 'y' holds text; in the first item int64"),
        ({**GOOD[0], "y": [1, 2]}, r"field 'y' holds int64\[2\]; in the first item int64"),
        (
            Sequences.from_arrays(
                {"x": [np.ones((2, 2), np.float32)], "token": [["a", "b"]], "y": [[1, 2]]}, {"name": ["n"]}
            ),
            "field 'y' has a value a step in some items, and one a sequence in others",
        ),
    ],
)
def test_an_item_that_does_not_fit_is_named_with_its_field(item: Any, words: str) -> None:
    with pytest.raises(DataError, match=f"item 2 of the source .from 0.: {words}"):
        numbers([*GOOD, item])


def test_first_items_that_cannot_be_used() -> None:
    with pytest.raises(DataError, match="item 0 of the source .from 0.: no field has a value a step"):
        numbers([{"y": 1}])
    with pytest.raises(DataError, match="item 0 .*field 'z' is missing"):
        numbers([{"x": [1, 2]}], per_step=["x", "z"])


@pytest.mark.parametrize("layout", [Packed(2, 10), Packed(sequences=2, steps=10)])
def test_a_sequence_too_long_for_the_layout_is_named(layout: Packed) -> None:
    loader = Loader(Stream(examples([3, 4, 5, 6, 11]), buffer=2), layout)
    with pytest.raises(LayoutError, match=r"lengths\[4\] is 11"):
        list(loader)


@pytest.mark.parametrize("read_ahead", [0, 1, 5])
def test_an_error_comes_after_the_batches_of_the_windows_before(read_ahead: int) -> None:
    def source() -> Iterator[Any]:
        yield from examples([2] * 9)
        raise OSError("the network went away")

    loader = Loader(Stream(source, buffer=4), Padded(2, order="given"), read_ahead=read_ahead)
    found: list[list[int]] = []
    with pytest.raises(OSError, match="network"):
        found.extend(batch.ends.sequence.tolist() for batch in loader)
    assert found == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert loader.epoch == 0


@pytest.mark.parametrize("source", [[], iter(()), list, lambda: iter(())])
def test_an_empty_source_is_an_error(source: Any) -> None:
    with pytest.raises(DataError, match="the source gave no sequences"):
        numbers(source)


def test_an_iterator_gives_one_epoch() -> None:
    loader = Loader(Stream(iter(GOOD)), Padded(2))
    assert len(list(loader)) == 1
    with pytest.raises(DataError, match="only once. Pass a function"):
        list(loader)


@pytest.mark.parametrize("source", [5, None, "events.parquet"])
def test_what_cannot_be_iterated_is_refused(source: Any) -> None:
    with pytest.raises(DataError, match="source must be a function"):
        Stream(source)


@pytest.mark.parametrize("arguments", [{"buffer": 0}, {"buffer": 2.5}, {"longest_wait": 0}, {"longest_wait": "1"}])
def test_bad_arguments_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(LayoutError, match=f"Stream: {next(iter(arguments))} must be a whole number of at least 1"):
        Stream(GOOD, **arguments)


def test_a_layout_that_has_to_see_all_is_refused() -> None:
    with pytest.raises(LayoutError, match="has to see all times at once"):
        Loader(Stream(GOOD), Stateful(2, 2, align="time"))


def endless() -> Iterator[Any]:
    while True:
        yield from GOOD


def test_an_abandoned_pass_over_an_endless_source_leaves_no_thread() -> None:
    loader = Loader(Stream(endless, buffer=4), Padded(2), read_ahead=3)
    for number, _ in enumerate(loader):
        if number == 5:
            break
    gc.collect()
    for thread in threading.enumerate():
        if thread.name.startswith("drystone-reader"):
            thread.join(5)
            assert not thread.is_alive()


def test_the_source_is_closed_with_the_pass() -> None:
    closed = threading.Event()

    def source() -> Iterator[Any]:
        try:
            yield from endless()
        finally:
            closed.set()

    batches = iter(Loader(Stream(source, buffer=4), Padded(2), read_ahead=3))
    next(batches)
    batches.close()
    del batches
    gc.collect()
    assert closed.wait(5)


def test_a_new_pass_waits_for_the_reader_of_the_one_before() -> None:
    reading, go_on = threading.Event(), threading.Event()
    live = []

    class Slow:
        def __iter__(self) -> Iterator[Any]:
            live.append(threading.current_thread())
            yield from GOOD
            if len(live) == 1:
                reading.set()
                go_on.wait(5)
                live.append("first read on")
            yield from GOOD

    loader = Loader(Stream(Slow(), buffer=2), Padded(1, order="given"), read_ahead=1)
    batches = iter(loader)
    next(batches)
    assert reading.wait(5)
    batches.close()
    threading.Timer(0.05, go_on.set).start()
    assert len(list(loader)) == 4
    assert live[1] == "first read on"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_a_stop_while_reading_reaches_the_caller(error: type[BaseException]) -> None:
    def source() -> Iterator[Any]:
        yield from GOOD
        raise error

    loader = Loader(Stream(source, buffer=5), Padded(1))
    with pytest.raises(error):
        next(iter(loader))
    assert loader.state_dict()["batches"] == 0


def test_the_caller_is_not_kept_waiting_by_a_source_that_waits() -> None:
    release = threading.Event()

    def source() -> Iterator[Any]:
        yield from GOOD
        release.wait(5)

    batches = iter(Loader(Stream(source, buffer=2), Padded(1), read_ahead=1))
    next(batches)
    batches.close()
    assert not release.is_set()
    assert batches.is_over
    release.set()
