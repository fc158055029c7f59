"""Columns of ids of every kind are read alike, and those of the last call are known again."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from drystone.torch.streaming.ids import IdReader
from drystone.torch.streaming.slots import FREE, Slots

SLOTS = Slots()
TEXTS = ["b", "ü", "b", "a", "ü"]
KINDS = {
    "list": list,
    "tuple": tuple,
    "fixed width": np.array,
    "objects": lambda texts: np.array(texts, object),
    "variable width": lambda texts: np.array(texts, np.dtypes.StringDType()),
    "arrow": pa.array,
    "arrow chunks": lambda texts: pa.chunked_array([texts[:2], texts[2:]]),
    "pandas": pd.Series,
}


@pytest.mark.parametrize("kind", KINDS)
def test_columns_of_every_kind(kind: str) -> None:
    reader = IdReader()
    found = reader.read(KINDS[kind](TEXTS), SLOTS)
    assert found.streams == ["b", "ü", "a"]
    assert found.stream.tolist() == [0, 1, 0, 2, 1]
    assert [found.of_row(row) for row in range(5)] == TEXTS
    other = reader.read(KINDS[kind](["b", "c"]), SLOTS)
    assert (other.streams, other.stream, other.num_rows) == (["b", "c"], None, 2)
    changed = reader.read(KINDS[kind](["b", "d"]), SLOTS)
    assert changed.streams == ["b", "d"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "pandas"])
def test_the_same_ids_again_are_not_read_again(kind: str) -> None:
    reader = IdReader()
    assert reader.read(KINDS[kind](TEXTS), SLOTS) is reader.read(KINDS[kind](list(TEXTS)), SLOTS)


@pytest.mark.parametrize("kind", [list, np.array])
def test_ids_that_the_caller_writes_over_are_read_again(kind: Any) -> None:
    reader = IdReader()
    column = kind(["a", "b"])
    reader.read(column, SLOTS)
    column[1] = "c"
    assert reader.read(column, SLOTS).streams == ["a", "c"]


def test_what_cannot_be_compared_is_read() -> None:
    reader = IdReader()
    reader.read(["a", "b"], SLOTS)
    with pytest.raises(ValueError, match="of type ndarray"):
        reader.read(["a", np.array(["b", "c"])], SLOTS)


def test_streams_that_are_held_need_no_other_look() -> None:
    slots, reader = Slots(), IdReader()
    slots.use_streams(["a", "b", "c"], np.full(3, FREE), np.ones(3, np.int64), 0.0)
    assert slots.are_held_once(["c", "a"])
    assert not slots.are_held_once(["c", "a", "c"])
    assert not slots.are_held_once(["c", "d"])
    assert not slots.are_held_once(["c", ["a"]])
    assert reader.read(["c", "a", "c"], slots).streams == ["c", "a"]
    found = reader.read(["c", "a"], slots)
    assert (found.streams, slots.find(found.streams).tolist()) == (["c", "a"], [2, 0])
    slots.forget(["a"])
    assert slots.find(found.streams).tolist() == [2, FREE]
