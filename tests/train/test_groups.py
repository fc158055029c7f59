"""Groups of sequences stay in one part, and parts have about their shares."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.train.groups import check_apart, grouped, groups_of
from drystone.train.split import PARTS
from tests.train.small import SMALL

groupings = st.lists(st.integers(0, 12), min_size=20, max_size=80).map(np.array)
shares = st.sampled_from([{"valid": 0.0, "test": 0.2}, {"valid": 0.2, "test": 0.2}, {"valid": 0.5, "test": 0.1}])


def patients(groups: Any, **per_sequence: Any) -> ds.Sequences:
    """One sequence of three steps for each group in the list; `y` is a class that a step tells."""
    rng = np.random.default_rng(0)
    x = [rng.normal(size=3) + number % 2 for number in range(len(groups))]
    wholes = {"patient": groups, "y": ["ab"[number % 2] for number in range(len(groups))]} | per_sequence
    return ds.Sequences.from_arrays({"x": x, "kg": x}, wholes)


@given(groupings, st.integers(0, 5), shares, st.integers(1, 3))
def test_no_group_lies_in_two_parts_and_no_sequence_is_lost(
    groups: np.ndarray, seed: int, wanted: dict[str, float], num_classes: int
) -> None:
    labels = groups % num_classes
    num_parts = 1 + sum(share > 0 for share in wanted.values())
    if len(np.unique(groups)) < num_parts:
        with pytest.raises(ds.DataError, match="each part needs one of its own"):
            grouped(labels, groups, seed, wanted)
        return
    parts = grouped(labels, groups, seed, wanted)
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(len(groups)))
    found = [set(groups[parts[part]].tolist()) for part in PARTS]
    assert sum(map(len, found)) == len(set.union(*found))
    assert len(parts["train"]) > 0
    for part, share in wanted.items():
        assert (len(parts[part]) > 0) == (share > 0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("num_classes", [1, 4])
def test_shares_are_met_to_half_a_group(seed: int, num_classes: int) -> None:
    sizes = np.random.default_rng(seed).integers(1, 12, 80)
    groups = np.repeat(np.arange(80), sizes)
    parts = grouped(groups % num_classes, groups, seed, {"valid": 0.1, "test": 0.25})
    for part, share in (("valid", 0.1), ("test", 0.25)):
        assert abs(len(parts[part]) - share * len(groups)) <= sizes.max() / 2
        for label in range(num_classes):
            inside = (groups[parts[part]] % num_classes == label).sum()
            assert abs(inside - share * (groups % num_classes == label).sum()) <= sizes.max()


def test_groups_of_one_are_drawn_like_sequences() -> None:
    parts = grouped(np.zeros(50), np.arange(50), 0, {"valid": 0.1, "test": 0.2})
    assert [len(parts[part]) for part in PARTS] == [35, 5, 10]


def test_few_large_groups_are_shared_out_all_the_same() -> None:
    parts = grouped(np.zeros(100), np.repeat([0, 1, 2], [40, 50, 10]), 0, {"valid": 0.1, "test": 0.1})
    assert all(len(parts[part]) for part in PARTS)


def test_seeds_draw_other_groups_and_the_same_seed_the_same() -> None:
    groups = np.repeat(np.arange(30), 3)
    first, same, other = (grouped(groups * 0, groups, seed, {"valid": 0.0, "test": 0.3}) for seed in (1, 1, 2))
    assert first["test"].tolist() == same["test"].tolist() != other["test"].tolist()


def test_a_group_may_be_repeated_at_every_step() -> None:
    seqs = ds.Sequences.from_arrays({"x": [[1.0, 2.0], [3.0]], "who": [["p", "p"], ["q"]]})
    assert groups_of(seqs, "who").tolist() == ["p", "q"]


@pytest.mark.parametrize("task", [{"target": "y"}, {"target": "weight"}, {"target": "kg", "task": "tag"}], ids=str)
def test_every_task_of_whole_sequences_keeps_groups_together(task: dict[str, Any]) -> None:
    groups = np.repeat(np.arange(12), 5)
    seqs = patients(groups, weight=np.arange(60) * 1.5)
    run = ds.fit(seqs, **task, group="patient", valid_fraction=0.2, **SMALL)
    parts = [set(groups[run.split.part(part)].tolist()) for part in PARTS]
    assert sum(map(len, parts)) == 12
    assert sum(len(run.split.part(part)) for part in PARTS) == 60
    assert run.settings.group == "patient"


def test_a_validation_part_of_whole_groups_is_drawn_from_the_training_part() -> None:
    groups = np.repeat(np.arange(12), 5)
    seqs = patients(groups, part=["test" if group > 9 else "train" for group in groups])
    run = ds.fit(seqs, "y", group="patient", split_column="part", valid_fraction=0.3, **SMALL)
    assert set(groups[run.split.test].tolist()) == {10, 11}
    assert not set(groups[run.split.valid].tolist()) & set(groups[run.split.train].tolist())
    assert len(run.split.valid) == 15


@pytest.mark.parametrize(
    ("groups", "settings", "words"),
    [
        (["p"] * 20, {}, "every sequence has group 'patient' p; parts that share no group need two groups at least"),
        ([*"pq" * 9, "p", ""], {}, "group 'patient' is missing in sequence 19; fill it in, or leave the sequence out"),
        ([*"pq" * 9, None, "p"], {}, "group 'patient' is missing in sequence 18"),
        ([*range(19), float("nan")], {}, "group 'patient' is missing in sequence 19"),
        ([[1, 2]] * 20, {}, r"group 'patient' has shape \(2,\) a sequence"),
        ([*"pq"] * 10, {"group": "nope"}, "no field 'nope'"),
        ([*"pq"] * 10, {"group": "x"}, "'x' changes in sequence 0"),
        ([*"pq"] * 10, {"valid_fraction": 0.2}, "there are 2 groups, and 3 parts; each part needs one of its own"),
        (
            [*"pq"] * 10,
            {"task": "forecast", "target": "x"},
            "group goes with task classify, regress, tag, joint or language-model",
        ),
        (
            [*"pqr"] * 6 + ["s", "s"],
            {"split_column": "part"},
            "group 'patient' s lies in two parts: sequence 18 in train, sequence 19 in test. Move its sequences into one part",
        ),
    ],
    ids=str,
)
def test_groups_that_cannot_be_kept_together_are_named(groups: Any, settings: dict[str, Any], words: str) -> None:
    seqs = patients(groups, part=["train"] * 19 + ["test"])
    with pytest.raises(ds.DrystoneError, match=words):
        ds.fit(seqs, **{"target": "y", "group": "patient"} | settings, **SMALL)
    assert list(Path().iterdir()) == []


def test_one_series_is_one_group() -> None:
    seqs = ds.Sequences.from_arrays({"x": [np.arange(40.0)], "n": [np.arange(40) % 3]}, {"patient": ["p"]})
    with pytest.raises(ds.DataError, match="need two groups"):
        ds.fit(seqs, "n", task="tag", group="patient", **SMALL)


def test_the_first_group_that_lies_in_two_parts_is_named() -> None:
    seqs = patients([1, 2, 1])
    groups = np.array([1, 2, 1])
    with pytest.raises(
        ds.DataError, match="'patient' 1 lies in two parts: sequence 0 in train, sequence 2 in valid. Do."
    ):
        check_apart(seqs, "patient", groups, {"train": np.array([0, 1]), "valid": np.array([2])}, "Do.")
    check_apart(seqs, "patient", groups, {"train": np.array([0, 2]), "valid": np.array([1])}, "Do.")
