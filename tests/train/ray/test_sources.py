"""What workers are told of where data lie."""

from pathlib import Path

import numpy as np
import pytest

import drystone as ds
from drystone.train.data import Sources
from drystone.train.ray.sources import found, shared
from tests.train.ray.shards import write_shards


def test_paths_are_whole_and_all_else_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "japanese-vowels").mkdir()  # which does not stand in for the built-in data set
    for given, expected in [
        ("a.csv", f"{tmp_path}/a.csv"),
        (Path("part-*.parquet"), f"{tmp_path}/part-*.parquet"),
        (["b.parquet", "a.parquet"], [f"{tmp_path}/b.parquet", f"{tmp_path}/a.parquet"]),
        ("~/a.csv", str(Path("~/a.csv").expanduser())),
        ("s3://bucket/data/", "s3://bucket/data/"),
        ("japanese-vowels", "japanese-vowels"),
        (None, None),
    ]:
        assert found(Sources(train="x.csv", valid=given)).valid == expected
    table = {"x": np.ones(3)}
    assert found(Sources(train=table)).train is table


def test_memory_mapped_sequences_do_not_go_through_the_object_store(tmp_path: Path) -> None:
    write_shards(tmp_path / "data")
    seqs = ds.read(tmp_path / "data")
    for each in (seqs, seqs[3:9]):
        with pytest.raises(ds.DataError, match="memory-mapped.*give the path"):
            shared(Sources(train=each))
