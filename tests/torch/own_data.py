"""People's own datasets, as the tests need them, and the sequences that they hold."""

from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

import drystone as ds
from drystone.torch import TensorBatch

LENGTHS = np.random.default_rng(5).integers(1, 13, 23)


class Own(Dataset[dict[str, Any]]):
    """Items of every kind of field, made anew from their number."""

    def __init__(self, lengths: Any) -> None:
        self.lengths = lengths
        self.asked: list[int] = []

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> dict[str, Any]:
        self.asked.append(index)
        rng = np.random.default_rng(index)
        steps = int(self.lengths[index])
        return {
            "x": torch.from_numpy(rng.normal(size=(steps, 2)).astype("f")),
            "n": rng.integers(1, 9, steps).tolist(),
            "word": [f"{index}/{step}" for step in range(steps)],
            "at": np.datetime64("2026-01-01", "s") + np.arange(steps),
            "y": torch.tensor(index % 3),
            "weight": 0.5 * index,
            "label": "even" if index % 2 else "odd",
        }


def sequences(lengths: Any) -> ds.Sequences:
    items = [Own(lengths)[index] for index in range(len(lengths))]
    columns = {name: [item[name] for item in items] for name in items[0]}
    per_step = {name: columns.pop(name) for name in ("x", "n", "word", "at")}
    return ds.Sequences.from_arrays(per_step, columns)


def assert_equal(found: TensorBatch, expected: TensorBatch) -> None:
    assert (found.shape, found.epoch) == (expected.shape, expected.epoch)
    assert found.host.field_names == expected.host.field_names
    for name in expected.host.field_names:
        _same(found[name], expected[name])
        _same(found.host[name], expected.host[name])
        if name in expected.host.span_fields:
            _same(found.by_span(name), expected.by_span(name))
    for name in ("valid", "reset", "scored", "sequence"):
        _same(getattr(found, name), getattr(expected, name))
        _same(getattr(found.host, name), getattr(expected.host, name))
    for name in ("row", "step", "sequence"):
        _same(getattr(found.ends, name), getattr(expected.ends, name))
    for name in ("row", "start", "stop", "sequence", "offset", "is_first", "is_last"):
        _same(getattr(found.spans, name), getattr(expected.spans, name))


def _same(found: Any, expected: Any) -> None:
    assert type(found) is type(expected)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
