"""Batches as tensors."""

import pickle
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest
import torch

import drystone as ds
from drystone.torch import batches


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
