"""A training that is left after any of its events, and goes on in new parts, is equal to the bit."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from drystone.train import Ended, EpochEnded, Evaluated, Event, Updated
from tests.faults.own_loop import OwnRun
from tests.faults.small import figures_of


def assert_same(one: Any, other: Any, where: str = "state") -> None:
    """Two nests of tensors and plain values are equal to the bit."""
    if isinstance(one, Tensor):
        assert one.dtype == other.dtype, where
        assert torch.equal(one, other), where
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for name in one:
            assert_same(one[name], other[name], f"{where}.{name}")
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), where
        for number, parts in enumerate(zip(one, other, strict=True)):
            assert_same(*parts, f"{where}.{number}")
    else:
        assert one == other, where


@pytest.fixture(scope="module")
def whole(_memory: Path) -> tuple[OwnRun, list[Event]]:
    folder = _memory / "own"
    folder.mkdir()
    run, events = OwnRun(folder, 1e9), []
    for event in run.trainer.run():
        run.watch(event)
        events.append(event)
    return run, events


def resumed(folder: Path, seconds: float) -> OwnRun:
    run = OwnRun(folder, seconds)
    checkpoint, damages = run.store.newest()
    assert damages == []
    if checkpoint is None:
        run.log.clear()
    else:
        run.saver.load(checkpoint)
    return run


def leave_after(run: OwnRun, num_events: int) -> None:
    with closing(run.trainer.run()) as events:
        for _, event in zip(range(num_events), events, strict=False):
            run.watch(event)


def test_there_are_events_of_all_kinds(whole: tuple[OwnRun, list[Event]]) -> None:
    kinds = [type(event) for event in whole[1]]
    assert kinds.count(EpochEnded) == 2
    assert kinds.count(Ended) == 1
    assert kinds.count(Evaluated) >= 3
    assert kinds.count(Updated) >= 8
    before_the_end = kinds.index(EpochEnded) - 1
    assert kinds[before_the_end] is Updated, "an epoch ends between two evaluations"
    assert whole[0].trainer.counts.batches == 0


def test_left_after_each_event(whole: tuple[OwnRun, list[Event]], tmp_path: Path) -> None:
    expected, events = whole
    for left_after in range(1, len(events) + 1):
        folder = tmp_path / str(left_after)
        folder.mkdir()
        first = OwnRun(folder, 1e9)
        leave_after(first, left_after)
        first.saver.save()
        second = resumed(folder, 1e9)
        rest = [type(event) for event in _watched(second)]
        missing = [type(event) for event in events[left_after:]]
        assert rest == (missing or [Ended]), f"left after event {left_after}"
        assert_same(second.state(), expected.state())
        assert figures_of(folder) == figures_of(expected.log.path.parent)


def test_left_after_every_single_event(whole: tuple[OwnRun, list[Event]], tmp_path: Path) -> None:
    expected, events = whole
    for _ in events:
        run = resumed(tmp_path, 0.0)
        leave_after(run, 1)
    assert_same(run.state(), expected.state())
    assert figures_of(tmp_path) == figures_of(expected.log.path.parent)


def _watched(run: OwnRun) -> list[Event]:
    events = []
    for event in run.trainer.run():
        run.watch(event)
        events.append(event)
    return events
