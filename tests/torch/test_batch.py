"""Batches as tensors, and pools by sequence."""

import pickle
from multiprocessing.reduction import ForkingPickler
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.core.layouts import Layout
from drystone.torch import batches, pool
from tests.contract import strategies


def test_tensors_equal_the_arrays_they_came_from() -> None:
    seqs = ds.Sequences.from_arrays(
        {"x": [[1.0, 2.0], [3.0]], "n": [[1, 2], [3]], "word": [["a", "b"], ["c"]]}, {"y": [True, False]}
    )
    host = next(iter(ds.Loader(seqs, ds.Padded(2))))
    batch = next(batches(ds.Loader(seqs, ds.Padded(2)), dtype=torch.float32))
    assert batch["x"].dtype == torch.float32
    assert batch["n"].dtype == torch.int64
    assert isinstance(batch["word"], np.ndarray)
    for name in ("x", "n", "y"):
        np.testing.assert_array_equal(batch[name].numpy(), host[name])
    for name in ("valid", "reset", "scored", "sequence"):
        np.testing.assert_array_equal(getattr(batch, name).numpy(), getattr(host, name))
    np.testing.assert_array_equal(batch.ends.row.numpy(), host.ends.row)
    assert batch.shape == (2, 2)
    assert batch.by_step("y").tolist() == host.by_step("y").tolist()
    assert batch.by_span("y").tolist() == host.by_span("y").tolist()
    with pytest.raises(ds.DataError, match="no field 'z'"):
        batch["z"]


@pytest.mark.parametrize("dtype", [None, torch.float32, torch.bfloat16])
def test_batches_pass_between_processes_whole(dtype: torch.dtype | None) -> None:
    seqs = ds.Sequences.from_arrays(
        {"x": [[1.5, 2.0], [3.0]], "word": [["a", "b"], ["c"]]}, {"y": [0.5, 1.0], "name": ["p", "q"]}
    )
    batch = next(batches(ds.Loader(seqs, ds.Packed(rows=1, steps=4)), dtype=dtype))
    found = pickle.loads(pickle.dumps(batch))
    for name in ("x", "y"):
        assert found[name].dtype == batch[name].dtype
        assert torch.equal(found[name], batch[name])
        np.testing.assert_array_equal(found.host[name], batch.host[name])
    assert (found["word"].tolist(), found["name"].tolist()) == (batch["word"].tolist(), batch["name"].tolist())
    for name in ("valid", "reset", "scored", "sequence"):
        assert torch.equal(getattr(found, name), getattr(batch, name))
    assert torch.equal(found.ends.step, batch.ends.step)


def test_values_travel_in_shared_memory() -> None:
    seqs = ds.Sequences.from_arrays({"x": [np.ones((1000, 32))] * 4}, {"y": [1, 2, 3, 4]})
    batch = next(batches(ds.Loader(seqs, ds.Padded(4))))
    assert len(ForkingPickler.dumps(batch)) < batch["x"].nbytes / 100


@given(strategies.lengths, strategies.whole_layouts, st.sampled_from(["mean", "max"]))
def test_pools_are_those_of_each_sequence(lengths: np.ndarray[Any, Any], layout: Layout, how: Any) -> None:
    rng = np.random.default_rng(0)
    seqs = ds.Sequences.from_arrays({"x": [rng.normal(size=(length, 3)) for length in lengths]})
    for batch in batches(ds.Loader(seqs, layout)):
        junk = torch.where(batch.valid[..., None], batch["x"], 99.0)
        found = pool(junk, batch.grid, how)
        for place, number in enumerate(batch.ends.sequence.tolist()):
            values = torch.from_numpy(seqs[number]["x"])
            expected = values.mean(0) if how == "mean" else values.amax(0)
            torch.testing.assert_close(found[place], expected, rtol=1e-12, atol=1e-14)


def test_a_pool_over_a_part_of_a_sequence_is_refused() -> None:
    grid = ds.Grid.from_masks(reset=[[False, False]], valid=[[True, True]])
    with pytest.raises(ds.ShapeError, match="whole in one batch"):
        pool(torch.zeros(1, 2, 3), grid, "mean")


def test_outputs_of_another_shape_are_not_pooled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    grid = ds.Grid.from_masks(reset=[[True, False]], valid=[[True, True]])
    with pytest.raises(ds.ShapeError, match=r"\(2, 1, 3\); expected \[1 rows, 2 steps"):
        pool(torch.zeros(2, 1, 3), grid, "mean")
    with pytest.raises(ds.ShapeError, match="got 'sum'"):
        pool(torch.zeros(1, 2, 3), grid, "sum")  # type: ignore[arg-type]
