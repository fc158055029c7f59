"""NumPy .npz files."""

import numpy as np
import pytest

from drystone.core.errors import DataError
from drystone.readers import read


def save(folder, **arrays):
    np.savez(folder / "s.npz", **arrays)
    return folder / "s.npz"


def test_offsets(tmp_path):
    seqs = read(save(tmp_path, offsets=[0, 2, 3], x=np.arange(6.0).reshape(3, 2), y=["a", "b"]), sequence_id="y")
    assert list(seqs.lengths) == [2, 1]
    np.testing.assert_array_equal(seqs[1]["x"], [[4.0, 5.0]])
    assert (seqs[1]["y"], seqs.sequence_id) == ("b", "y")
    assert seqs.origin.where(0, 1) == "row 1 of s.npz"


@pytest.mark.parametrize("which", [{"lengths": [3, 1]}, {"mask": [[1, 1, 1, 0], [1, 0, 0, 0]]}])
def test_padded(tmp_path, which):
    x = np.arange(16).reshape(2, 4, 2)
    seqs = read(save(tmp_path, x=x, tag=np.arange(8).reshape(2, 4), static=np.ones((2, 3)), y=[0, 1], **which))
    assert (list(seqs.step_columns), list(seqs.sequence_columns)) == (["x", "tag"], ["static", "y"])
    np.testing.assert_array_equal(seqs[0]["x"], x[0, :3])
    np.testing.assert_array_equal(seqs[1]["tag"], [4])


def test_padded_without_features(tmp_path):
    assert list(read(save(tmp_path, x=np.ones((2, 4)), lengths=[4, 2])).lengths) == [4, 2]


def test_equal_lengths(tmp_path):
    seqs = read(save(tmp_path, x=np.ones((2, 5, 3)), y=[1, 2]))
    assert list(seqs.lengths) == [5, 5]
    assert list(seqs.field("y").values) == [1, 2]


def test_empty_sequences_can_be_dropped(tmp_path):
    seqs = read(save(tmp_path, lengths=[2, 0], x=np.ones((2, 2))), on_empty="drop")
    assert list(seqs.dropped) == [1]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"offsets": [0, 1, 2], "x": [1.0, 2.0]}, "cannot be told.*another format"),
        ({"offsets": [0, 2], "x": [1.0, 2.0, 3.0]}, r"'x' has shape \(3,\); expected a first axis of 2 steps or 1"),
        ({"offsets": [[0, 2]], "x": [1.0, 2.0]}, "offsets has shape"),
        ({"offsets": [0.0, 2.0], "x": [1.0, 2.0]}, "whole numbers"),
        ({"offsets": [0, 2], "lengths": [2], "x": [1.0, 2.0]}, "holds lengths and offsets"),
        ({"lengths": [3], "x": [1.0, 2.0]}, "padded arrays need one shape"),
        ({"lengths": [9], "x": [[1.0, 2.0]]}, r"lengths\[0\] is 9"),
        ({"lengths": 2, "x": [[1.0, 2.0]]}, "one shape"),
        ({"lengths": [2, 1], "x": np.ones((3, 4))}, "'x' of shape .3, 4. is laid end to end.*Save offsets="),
        ({"lengths": [2, 1], "x": np.ones(3)}, "'x' of shape .3,. is laid end to end.*Save offsets="),
        ({"mask": 1, "x": [[1.0, 2.0]]}, "mask has shape"),
        ({"x": [[1.0, 2.0]]}, "no array has 3 dimensions"),
        ({"x": np.ones((2, 3, 1)), "z": np.ones((2, 3))}, "'z' has shape"),
        ({"x": np.array([[1], [1, 2]], dtype=object)}, "Python objects"),
        ({}, "no arrays"),
    ],
)
def test_forms_that_cannot_be_read(tmp_path, arrays, words):
    with pytest.raises(DataError, match=words):
        read(save(tmp_path, **arrays))


def test_one_array_is_no_npz(tmp_path):
    with (tmp_path / "s.npz").open("wb") as file:
        np.save(file, np.ones(3))
    with pytest.raises(DataError, match=r"one array; save it with np.savez"):
        read(tmp_path / "s.npz")
