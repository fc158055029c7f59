"""Splits: every sequence in one part, every class its share, the same for the same seed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone.train.split import PARTS, Split, stratified

labels = st.lists(st.integers(0, 4), min_size=2, max_size=80).map(np.array)
fractions = st.sampled_from([(0.0, 0.2), (0.1, 0.1), (0.25, 0.5), (0.0, 0.0)])


@given(labels, st.integers(0, 10), fractions)
def test_parts_are_disjoint_and_cover_all(found: np.ndarray, seed: int, shares: tuple[float, float]) -> None:
    split = stratified(found, seed, *shares)
    everything = np.concatenate([split.part(name) for name in PARTS])
    assert sorted(everything.tolist()) == list(range(len(found)))
    for part, share in zip(("valid", "test"), shares, strict=True):
        for label in np.unique(found):
            count = (found == label).sum()
            inside = (found[split.part(part)] == label).sum()
            assert inside <= share * count + 1
    assert set(found[split.train]) == set(found)


def test_shares_are_right_over_all_classes() -> None:
    many = np.repeat(np.arange(50), 7)
    split = stratified(many, 0, 0.1, 0.2)
    assert abs(len(split.valid) - 35) <= 1
    assert abs(len(split.test) - 70) <= 1


def test_many_classes_of_one_do_not_take_from_the_others() -> None:
    found = np.concatenate([np.arange(20), np.full(10, 99)])
    for seed in range(5):
        split = stratified(found, seed, 0.0, 0.2)
        assert (found[split.test] == 99).sum() == 2
        assert len(split.test) == 2


def test_seeds_draw_other_splits_and_the_same_seed_the_same(tmp_path: Path) -> None:
    found = np.repeat(np.arange(3), 20)
    first, same, other = (stratified(found, seed, 0.1, 0.2) for seed in (1, 1, 2))
    assert first.test.tolist() == same.test.tolist() != other.test.tolist()
    first.save(tmp_path / "split.parquet")
    loaded = Split.load(tmp_path / "split.parquet")
    for name in PARTS:
        assert loaded.part(name).tolist() == first.part(name).tolist()


@pytest.mark.parametrize("seed", range(3))
def test_sorted_labels_are_no_trap(seed: int) -> None:
    found = np.repeat(["a", "b"], 50)
    split = stratified(found, seed, 0.0, 0.2)
    assert (found[split.test] == "a").sum() == 10
