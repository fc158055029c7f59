"""Nests of tensors come back as they went into JSON and safetensors."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from drystone.train.checkpoint.tree import put_together, taken_apart

NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
TENSORS = st.builds(
    lambda dtype, size: torch.from_numpy(np.arange(size).astype(dtype)),
    st.sampled_from(["float32", "float64", "int64", "uint8", "bool"]),
    st.integers(0, 4),
)
LEAVES = st.none() | st.booleans() | NUMBERS | st.text() | st.binary() | TENSORS
KEYS = st.text() | st.integers() | st.just("kind") | st.tuples(st.integers(), st.text())
NESTS = st.recursive(
    LEAVES, lambda part: st.lists(part) | st.lists(part).map(tuple) | st.dictionaries(KEYS, part), max_leaves=12
)


def same(left: Any, right: Any) -> bool:
    if isinstance(left, torch.Tensor):
        return left.dtype == right.dtype and torch.equal(left, right)
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)):
        return type(left) is type(right) and len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


@given(state=NESTS)
def test_what_goes_in_comes_back(state: Any) -> None:
    tree, tensors = taken_apart(state)
    assert same(put_together(json.loads(json.dumps(tree)), tensors), state)


def test_tensors_that_share_memory_are_kept_apart() -> None:
    whole = torch.arange(6.0)
    _, tensors = taken_apart([whole, whole[2:], whole.view(2, 3).T])
    assert len({tensor.data_ptr() for tensor in tensors.values()}) == 3
    assert all(tensor.is_contiguous() for tensor in tensors.values())


def test_tensors_whose_places_read_alike_are_kept_apart() -> None:
    state = {"a": {"b": torch.tensor(1)}, "a.b": torch.tensor(2), 0: torch.tensor(3), "0": torch.tensor(4)}
    assert same(put_together(*taken_apart(state)), state)


def test_what_a_checkpoint_cannot_hold_is_named() -> None:
    with pytest.raises(TypeError, match=r"state.model.2 is a set; a checkpoint holds numbers, text, tensors"):
        taken_apart({"model": [1, 2, {3}]})
