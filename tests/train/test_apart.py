"""Parts are apart: an id in two of them is refused, equal sequences are told of."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.train.apart import check_ids, warn_of_equals, warn_of_shared_steps
from drystone.train.split import PARTS, Split, by_time
from tests.train.small import SMALL

placed = st.lists(st.sampled_from(PARTS), min_size=2, max_size=12)


def split_of(seqs: ds.Sequences, parts: list[str]) -> Split:
    found = np.array(parts)
    return Split.of_wholes(seqs.lengths, {part: np.flatnonzero(found == part) for part in PARTS})


def seqs_of(contents: list[list[int]], ids: Any = None, begins: list[int] | None = None) -> ds.Sequences:
    per_step = {"x": [np.array(content, float) for content in contents]}
    if begins is not None:
        per_step["t"] = [np.arange(len(content)) + at for content, at in zip(contents, begins, strict=True)]
    seqs = ds.Sequences.from_arrays(per_step, None if ids is None else {"id": ids})
    return replace(seqs, sequence_id=None if ids is None else "id", order_by=None if begins is None else "t")


@given(placed, st.data())
def test_an_id_in_two_parts_is_refused(parts: list[str], data: st.DataObject) -> None:
    ids = data.draw(st.lists(st.sampled_from("pqrstu"), min_size=len(parts), max_size=len(parts)))
    seqs = seqs_of([[1, 2]] * len(parts), ids)
    lies_in = {one: {part for other, part in zip(ids, parts, strict=True) if other == one} for one in ids}
    if any(len(found) > 1 for found in lies_in.values()):
        with pytest.raises(ds.DataError, match="one 'id' lies in two parts: .* draw parts with group='id'"):
            check_ids(seqs, split_of(seqs, parts), goes_on=False)
    else:
        check_ids(seqs, split_of(seqs, parts), goes_on=False)


@given(placed, st.data())
def test_a_series_may_go_on_at_other_times(parts: list[str], data: st.DataObject) -> None:
    count = len(parts)
    ids = data.draw(st.lists(st.sampled_from("pq"), min_size=count, max_size=count))
    begins = data.draw(st.lists(st.integers(0, 30), min_size=count, max_size=count))
    seqs = seqs_of([[1, 2, 3]] * count, ids, begins)
    meet = any(
        ids[one] == ids[other] and parts[one] != parts[other] and abs(begins[one] - begins[other]) < 3
        for one in range(count)
        for other in range(one)
    )
    if meet:
        with pytest.raises(ds.DataError, match="They overlap in 't'"):
            check_ids(seqs, split_of(seqs, parts), goes_on=True)
    else:
        check_ids(seqs, split_of(seqs, parts), goes_on=True)


def test_without_times_a_series_cannot_be_seen_to_go_on() -> None:
    seqs = seqs_of([[1, 2], [3, 4]], ["p", "p"])
    with pytest.raises(
        ds.DataError, match=r"sequence 0 \(id 'p'\) in train, sequence 1 \(id 'p'\) in test. .* order_by"
    ):
        check_ids(seqs, split_of(seqs, ["train", "test"]), goes_on=True)


def test_parts_in_time_of_one_sequence_are_apart() -> None:
    seqs = seqs_of([[1, 2] * 10, [3, 4] * 10], [7, 8])
    check_ids(seqs, by_time(seqs, 0.2, 0.2), goes_on=True)
    check_ids(seqs, by_time(seqs, 0.2, 0.2), goes_on=False)


@given(st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=4), min_size=2, max_size=12), st.data())
def test_equal_sequences_of_several_steps_are_counted(contents: list[list[int]], data: st.DataObject) -> None:
    count = len(contents)
    parts = data.draw(st.lists(st.sampled_from(PARTS), min_size=count, max_size=count))
    y = data.draw(st.lists(st.sampled_from("ab"), min_size=count, max_size=count))
    seqs = ds.Sequences.from_arrays({"x": contents, "word": [[str(v) for v in c] for c in contents]}, {"y": y})
    by_part = [number for part in PARTS for number in range(count) if parts[number] == part]
    equals, first = 0, {}
    for number in by_part:
        key = (tuple(contents[number]), y[number])
        if len(contents[number]) > 1:
            equals += parts[first.setdefault(key, number)] != parts[number]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_equals(seqs, split_of(seqs, parts), ["x", "word", "y"])
    said = [str(found.message).split(" ")[0] for found in caught]
    assert said == ([str(equals)] if equals else [])


def test_the_first_pair_is_named() -> None:
    seqs = seqs_of([[1, 2], [3, 4], [5, 6], [3, 4]])
    with pytest.warns(
        UserWarning, match="1 sequence of a later part is equal to .* sequence 1 in train and sequence 3 in test"
    ):
        warn_of_equals(seqs, split_of(seqs, ["train", "train", "test", "test"]), ["x"])


def test_times_and_bools_are_compared_too() -> None:
    per_step = {"at": [np.arange(2).astype("M8[s]")] * 2, "on": [[True, False]] * 2}
    seqs = ds.Sequences.from_arrays(per_step)
    with pytest.warns(UserWarning, match="1 sequence"):
        warn_of_equals(seqs, split_of(seqs, ["train", "test"]), ["at", "on"])


def test_fit_says_both() -> None:
    seqs = ds.Sequences.from_arrays({"x": [[1.0, 2.0]] * 10}, {"y": [*"ab"] * 5, "id": [1, 2, 3, 4, 5] * 2})
    with pytest.warns(UserWarning, match="of a later part (is|are) equal to one of an earlier part"):
        ds.fit(seqs, "y", **SMALL)
    with pytest.raises(ds.DataError, match="one 'id' lies in two parts"):
        ds.fit(seqs, "y", sequence_id="id", **SMALL)
    with pytest.warns(UserWarning, match="equal"):
        run = ds.fit(seqs, "y", sequence_id="id", group="id", **SMALL)
    assert len(run.split.test) == 2


@pytest.mark.parametrize(
    ("begins", "words"),
    [
        ([0, 20], None),
        ([0, 18], "same 't', .*: sequence 0 in train and sequence 1 in test, first 18"),
        ([5, 0], "sequence 0 in train and sequence 1 in test, first 5"),
    ],
)
def test_steps_that_lie_in_two_parts_are_told_of(begins: list[int], words: str | None) -> None:
    contents = [list(range(at, at + 20)) for at in begins]
    seqs = seqs_of(contents, begins=begins)
    split = split_of(seqs, ["train", "test"])
    if words is None:
        warn_of_shared_steps(seqs, split, ["x"])
    else:
        with pytest.warns(UserWarning, match=words):
            warn_of_shared_steps(seqs, split, ["x"])
    others = seqs_of([contents[0], [-1] * 20], begins=begins)
    warn_of_shared_steps(others, split, ["x"])  # another series, at the same times
    warn_of_shared_steps(replace(seqs, order_by=None), split, ["x"])


def test_a_series_split_by_time_shares_no_steps() -> None:
    seqs = seqs_of([[1] * 40, [1] * 40], begins=[0, 0])
    warn_of_shared_steps(seqs, by_time(seqs, 0.2, 0.2), ["x"])


def test_fit_warns_where_the_training_file_holds_the_test() -> None:
    values = np.sin(np.arange(80) / 3).tolist()
    whole, tail = (seqs_of([values[at:]], begins=[at]) for at in (0, 60))
    with pytest.warns(UserWarning, match="parts share steps at the same 't'"):
        ds.fit(whole, "x", test=tail, task="forecast", horizon=2, **SMALL)


def test_windows_that_overlap_are_not_dealt_to_different_parts() -> None:
    x = [np.arange(40.0) + number for number in range(3)]
    seqs = ds.Sequences.from_arrays({"x": x}, {"y": ["a", "b", "a"]})
    with pytest.raises(
        ds.DataError, match=r"parts share steps of one sequence: sequence \d+ \(from step \d+ of source "
    ):
        ds.fit(seqs.windows(8, stride=4), "y", **SMALL)
    apart = ds.fit(seqs.windows(8, stride=8), "y", **SMALL)
    assert len(apart.split.test)
