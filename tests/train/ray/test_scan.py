"""The first read by Ray's workers: the store that threads make."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import drystone as ds
from drystone.train.ray import read
from tests.train.ray.shards import write_shards

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cluster")]


def test_workers_read_shards_as_threads_do(tmp_path: Path) -> None:
    write_shards(tmp_path / "here")
    write_shards(tmp_path / "there")
    expected, found = ds.read(tmp_path / "here"), read(tmp_path / "there")
    assert found.lengths.tolist() == expected.lengths.tolist()
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[name], other[name]) for name in one)
    stores = [sorted(path.name for path in (tmp_path / name / ".drystone").glob("*/*")) for name in ("here", "there")]
    assert stores[0] == stores[1]
    (store,) = (tmp_path / "there" / ".drystone").glob("*/store.json")
    made = store.stat().st_mtime_ns
    ds.read(tmp_path / "there")
    assert store.stat().st_mtime_ns == made  # opened, not made again


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    write_shards(tmp_path / "data")
    path = tmp_path / "data" / "part-1.parquet"
    found = pq.read_table(path).to_pylist()
    found[3]["x"] = found[3]["x"][:-1]  # tags go on without it
    pq.write_table(pa.Table.from_pylist(found), path)
    with pytest.raises(ds.DataError, match=r"part-1\.parquet"):
        read(tmp_path / "data")
    assert not list((tmp_path / "data" / ".drystone").glob("*.partial"))
