"""Splits: every sequence in one part, every class its share, the same for the same seed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.train.split import PARTS, Split, by_column, by_time, stratified

labels = st.lists(st.integers(0, 4), min_size=2, max_size=80).map(np.array)
fractions = st.sampled_from([(0.0, 0.2), (0.1, 0.1), (0.25, 0.5), (0.0, 0.0)])


@given(labels, st.integers(0, 10), fractions)
def test_parts_are_disjoint_and_cover_all(found: np.ndarray, seed: int, shares: tuple[float, float]) -> None:
    split = stratified(found, seed, *shares)
    everything = np.concatenate([split[name] for name in PARTS])
    assert sorted(everything.tolist()) == list(range(len(found)))
    for part, share in zip(("valid", "test"), shares, strict=True):
        for label in np.unique(found):
            count = (found == label).sum()
            inside = (found[split[part]] == label).sum()
            assert inside <= share * count + 1
    assert set(found[split["train"]]) == set(found)


def test_shares_are_right_over_all_classes() -> None:
    many = np.repeat(np.arange(50), 7)
    split = stratified(many, 0, 0.1, 0.2)
    assert abs(len(split["valid"]) - 35) <= 1
    assert abs(len(split["test"]) - 70) <= 1


def test_many_classes_of_one_do_not_take_from_the_others() -> None:
    found = np.concatenate([np.arange(20), np.full(10, 99)])
    for seed in range(5):
        split = stratified(found, seed, 0.0, 0.2)
        assert (found[split["test"]] == 99).sum() == 2
        assert len(split["test"]) == 2


def test_seeds_draw_other_splits_and_the_same_seed_the_same() -> None:
    found = np.repeat(np.arange(3), 20)
    first, same, other = (stratified(found, seed, 0.1, 0.2)["test"].tolist() for seed in (1, 1, 2))
    assert first == same != other


@pytest.mark.parametrize("seed", range(3))
def test_sorted_labels_are_no_trap(seed: int) -> None:
    found = np.repeat(["a", "b"], 50)
    split = stratified(found, seed, 0.0, 0.2)
    assert (found[split["test"]] == "a").sum() == 10


def check_loaded(split: Split, path: Path) -> None:
    """What is read again is what was saved."""
    split.save(path)
    loaded = Split.load(path)
    for name in PARTS:
        for each in ("sequence", "offset", "length"):
            assert getattr(loaded.runs[name], each).tolist() == getattr(split.runs[name], each).tolist()


def test_whole_sequences_are_selected(tmp_path: Path) -> None:
    seqs = ds.Sequences.from_arrays({"x": [[1.0], [2.0, 3.0], [4.0]]})
    split = Split.of_wholes(seqs.lengths, stratified(np.array(["a", "a", "a"]), 0, 0.0, 0.4))
    assert (len(split.train), len(split.test), split.in_words()) == (2, 1, "train 2 sequences, test 1 sequence")
    assert split.sequences(seqs, "test", "before").notes == ()
    assert (
        split.sequences(seqs, "train").field("x").values.tolist() == seqs.select(split.train).field("x").values.tolist()
    )
    check_loaded(split, tmp_path / "split.parquet")


@given(
    st.lists(st.integers(10, 30), min_size=1, max_size=4),
    st.sampled_from([(0.1, 0.2), (0.0, 0.3), (0.3, 0.0)]),
    st.sampled_from([None, 2, "before"]),
    st.booleans(),
    st.integers(1, 4),
)
def test_parts_in_time_are_those_of_the_view(
    lengths: list[int], shares: tuple[float, float], context: Any, has_times: bool, horizon: int
) -> None:
    starts = np.cumsum([0, *lengths])
    per_step = {
        "x": [np.arange(start, start + length) for start, length in zip(starts, lengths, strict=False)],
        "time": [np.arange(length) + number for number, length in enumerate(lengths)],
    }
    seqs = replace(ds.Sequences.from_arrays(per_step), order_by="time" if has_times else None)
    fractions = {"train": 1 - sum(shares), "valid": shares[0], "test": shares[1]}
    wanted = [name for name, share in fractions.items() if share]
    split = by_time(seqs, *shares)
    views = seqs.split_by_time(fractions=[fractions[name] for name in wanted], context=context)
    targets: list[int] = []
    for name, view in zip(wanted, views, strict=True):
        part = split.sequences(seqs, name, context).ahead("x", range(1, horizon + 1), name="next")
        expected = view.ahead("x", range(1, horizon + 1), name="next")
        assert [found["x"].tolist() for found in part] == [found["x"].tolist() for found in expected]
        assert [steps.tolist() for steps in part.scored_steps()] == [
            steps.tolist() for steps in expected.scored_steps()
        ]
        own = set()
        for number, (first, stop) in enumerate(zip(*part.scored_steps(), strict=True)):
            own |= set(part[number]["next"][first:stop].reshape(-1).tolist())
        assert not own & set(targets), "a target is shared"
        targets += own
    assert sum(runs.num_steps for runs in split.runs.values()) == sum(lengths)


def test_parts_in_time_are_saved(tmp_path: Path) -> None:
    seqs = ds.Sequences.from_arrays({"x": [np.arange(10.0), np.arange(4.0)]})
    split = by_time(seqs, 0.0, 0.25)
    assert split.in_words() == "train 11 steps, test 3 steps"
    assert split.runs["test"].offset.tolist() == [8, 3]
    check_loaded(split, tmp_path / "split.parquet")


def test_a_column_may_repeat_the_part_at_every_step() -> None:
    parts = ["train", "test", "valid", "train"]
    lengths = [3, 1, 2, 4]
    repeated = [[part] * length for part, length in zip(parts, lengths, strict=True)]
    seqs = ds.Sequences.from_arrays({"part": repeated}, {"whole": parts})
    for found, expected in zip(by_column(seqs, "part").values(), by_column(seqs, "whole").values(), strict=True):
        assert found.tolist() == expected.tolist()
    mixed = ds.Sequences.from_arrays({"part": [["train", "train"], ["train", "test"]]})
    with pytest.raises(ds.DataError, match="'part' changes in sequence 1"):
        by_column(mixed, "part")
