"""Whole sequences by time: the first for training, the last for the test, and none in the time of a later part."""

import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.train.in_time import in_time
from drystone.train.split import PARTS
from tests.train.small import SMALL


def timed(begins: list[int], lengths: list[int], **per_sequence: Any) -> ds.Sequences:
    """Sequences that begin at these times, a step each unit of time."""
    rng = np.random.default_rng(0)
    per_step = {
        "x": [rng.normal(size=length) for length in lengths],
        "t": [np.arange(begin, begin + length) for begin, length in zip(begins, lengths, strict=True)],
    }
    labels = {"y": ["ab"[number % 2] for number in range(len(begins))]}
    return replace(ds.Sequences.from_arrays(per_step, labels | per_sequence), order_by="t")


def quietly(seqs: ds.Sequences, shares: dict[str, float]) -> dict[str, Any] | None:
    """The parts, without a word of what was left out; None where nothing is left to train on."""
    with warnings.catch_warnings(), suppress(ds.DataError):
        warnings.simplefilter("ignore")
        return in_time(seqs, np.arange(len(seqs)), shares)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 6)), min_size=4, max_size=30),
    st.sampled_from([{"valid": 0.0, "test": 0.2}, {"valid": 0.25, "test": 0.25}, {"valid": 0.3, "test": 0.0}]),
)
def test_a_part_ends_before_the_next_begins(spans: list[tuple[int, int]], shares: dict[str, float]) -> None:
    begins, lengths = map(list, zip(*spans, strict=True))
    begin, end = np.array(begins), np.array(begins) + lengths - 1
    parts = quietly(timed(begins, lengths), shares)
    if parts is None:
        return
    placed = np.concatenate([parts[part] for part in PARTS])
    assert len(set(placed.tolist())) == len(placed)
    borders = [(earlier, later) for at, later in enumerate(PARTS) for earlier in PARTS[:at] if len(parts[later])]
    for earlier, later in borders:
        assert (end[parts[earlier]] < begin[parts[later]].min()).all()
    for left_out in set(range(len(begins))) - set(placed.tolist()):
        crossed = [begin[parts[part]].min() for part in ("valid", "test") if len(parts[part])]
        assert any(begin[left_out] < border <= end[left_out] for border in crossed)
    if shares["test"]:
        assert len(parts["test"]) >= round(shares["test"] * len(begins))


def test_shares_are_met_where_nothing_overlaps() -> None:
    seqs = timed(list(range(0, 200, 10))[::-1], [5] * 20)
    parts = in_time(seqs, np.arange(20), {"valid": 0.1, "test": 0.2})
    assert {part: found.tolist() for part, found in parts.items()} == {
        "train": list(range(6, 20)),
        "valid": [4, 5],
        "test": [0, 1, 2, 3],
    }


def test_what_reaches_into_a_later_part_is_left_out_and_told() -> None:
    lengths = [5] * 20
    lengths[3], lengths[15] = 160, 12
    with pytest.warns(
        UserWarning,
        match="2 sequences, left out of all parts, would reach into the time of a later one; the first is sequence 3",
    ):
        run = ds.fit(
            timed(list(range(0, 200, 10)), lengths),
            "y",
            split="time",
            valid_fraction=0.1,
            **SMALL,
        )
    assert [run.split.part(part).tolist() for part in PARTS] == [
        [*range(3), *range(4, 13)],
        [13, 14],
        [16, 17, 18, 19],
    ]
    assert run.split.in_words() == "train 12 sequences, valid 2 sequences, test 4 sequences"
    assert run.settings.split == "time"


@pytest.mark.parametrize("task", [{"target": "kg"}, {"target": "n", "task": "tag"}], ids=str)
def test_every_task_of_whole_sequences(task: dict[str, Any]) -> None:
    seqs = timed(list(range(0, 200, 10)), [5] * 20, kg=np.arange(20) * 1.5)
    tags = ds.Sequences.from_arrays(
        {name: [found[name] for found in seqs] for name in "xt"} | {"n": [[0, 1, 0, 1, 1]] * 20}
    )
    run = ds.fit(replace(tags, order_by="t") if "task" in task else seqs, **task, split="time", **SMALL)
    assert run.split.test.tolist() == [16, 17, 18, 19]


def test_validation_is_the_end_of_the_training_part() -> None:
    seqs = timed(list(range(0, 200, 10)), [5] * 20, part=["test"] * 4 + ["train"] * 16)
    run = ds.fit(seqs, "y", split="time", split_column="part", valid_fraction=0.25, **SMALL)
    assert run.split.valid.tolist() == [16, 17, 18, 19]
    assert run.split.test.tolist() == [0, 1, 2, 3]


ORDERED = timed(list(range(0, 200, 10)), [5] * 20, part=["train"] * 16 + ["test"] * 4, who=[*"pq"] * 10)


@pytest.mark.parametrize(
    ("seqs", "settings", "words"),
    [
        (replace(ORDERED, order_by=None), {}, r"split is 'time', which needs order_by \(--order-by\)"),
        (ORDERED, {"split": "tme"}, "split is 'tme'"),
        (
            ORDERED,
            {"split_column": "part"},
            "split is 'time', and split_column states the parts; leave out split, or give",
        ),
        (
            ORDERED,
            {"group": "who"},
            "group 'who' p lies in two parts: .* Take split='random', which keeps groups together",
        ),
        (timed([0] * 20, [5] * 20), {}, "split is 'time', and no sequence ends before the other parts begin"),
        (
            ORDERED,
            {"task": "forecast", "target": "x", "split": "random"},
            "split is 'random'; parts of forecasts are times",
        ),
    ],
    ids=["no order", "word", "stated", "group", "one time", "forecast"],
)
def test_what_cannot_be_split_by_time_is_said(seqs: ds.Sequences, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ds.DrystoneError, match=words):
        ds.fit(seqs, **{"target": "y", "split": "time"} | settings, **SMALL)
    assert list(Path().iterdir()) == []


def test_times_that_fall_are_named() -> None:
    seqs = ds.Sequences.from_arrays({"x": [[1.0, 2.0]] * 6, "t": [[1, 2]] * 5 + [[3, 2]]}, {"y": [*"ab"] * 3})
    with pytest.raises(ds.DataError, match="the time 't' falls, from 3 to 2, in sequence 5, step 1"):
        ds.fit(seqs, "y", split="time", order_by="t", **SMALL)
