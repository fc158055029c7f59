"""Plans as files: what is saved comes back, and what is damaged is refused."""

import json
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone import Bucketed, DataError, Padded, Plan
from tests.contract import strategies

planned = st.builds(
    lambda lengths, layout, ranks: layout.plan(lengths, 1, ranks + 4).shard(0, ranks),
    strategies.lengths,
    strategies.layouts,
    st.integers(1, 3),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plans")


@given(st.one_of(planned, strategies.carried_plans()))
def test_a_plan_comes_back_whole(folder: Path, plan: Plan) -> None:
    plan.save(folder / "plan.zip", overwrite=True)
    loaded = Plan.load(folder / "plan.zip")
    for name in ("table", "batches", "dropped"):
        assert getattr(loaded, name).equals(getattr(plan, name))
    assert loaded.lengths.tolist() == plan.lengths.tolist()
    for name in ("epoch", "max_cells", "rank", "num_ranks"):
        assert getattr(loaded, name) == getattr(plan, name)
    loaded.check()
    assert [file.name for file in folder.iterdir()] == ["plan.zip"]


def test_ranks_may_be_numpy_numbers(tmp_path: Path) -> None:
    Padded(2).plan([3, 1, 2]).shard(np.int64(1), np.int32(2)).save(tmp_path / "share.zip")  # type: ignore[arg-type]
    assert Plan.load(tmp_path / "share.zip").rank == 1


def test_other_tools_can_read_the_tables(tmp_path: Path) -> None:
    plan = Padded(2, order="given", remainder="drop").plan([3, 1, 2])
    plan.save(tmp_path / "plan.zip")
    with ZipFile(tmp_path / "plan.zip") as archive:
        with archive.open("spans.parquet") as spans:
            assert pq.read_table(spans).equals(plan.table)
        assert archive.namelist() == [
            "plan.json",
            "spans.parquet",
            "batches.parquet",
            "dropped.parquet",
            "lengths.parquet",
        ]


def test_the_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Bucketed(num_buckets=2, cells=8).plan([3, 1, 2, 5]).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_file_in_the_way_stays(tmp_path: Path) -> None:
    (tmp_path / "plan.zip").write_text("mine")
    with pytest.raises(DataError, match="exists"):
        Padded(2).plan([3, 1]).save(tmp_path / "plan.zip")
    assert (tmp_path / "plan.zip").read_text() == "mine"
    with pytest.raises(DataError, match="no folder"):
        Padded(2).plan([3, 1]).save(tmp_path / "missing" / "plan.zip")


def test_no_damage_ends_in_another_error(tmp_path: Path) -> None:
    plan = Padded(2).plan([3, 1, 2])
    plan.save(tmp_path / "plan.zip")
    whole = (tmp_path / "plan.zip").read_bytes()
    damaged = [whole[:cut] for cut in range(0, len(whole), 97)]
    damaged += [whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :] for at in range(0, len(whole), 7)]
    refused = 0
    for number, content in enumerate(damaged):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(content)
        try:
            assert Plan.load(path).table.equals(plan.table)
        except DataError:
            refused += 1
    assert refused > 0.8 * len(damaged)


def _rewritten(path: Path, name: str, content: bytes | None) -> None:
    with ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    with ZipFile(path, "w") as archive:
        for member, found in (members | {name: content}).items():
            if found is not None:
                archive.writestr(member, found)


def _parquet(**columns: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


HEAD = {"format": "drystone plan", "version": 2, "epoch": 0, "max_cells": None, "rank": 0, "num_ranks": 1}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("plan.json", None, "plan.json"),
        ("plan.json", b"[1]", "holds no plan"),
        ("plan.json", b"{", "not a whole file of a plan"),
        ("plan.json", json.dumps(HEAD | {"format": "something else"}).encode(), "holds no plan"),
        ("plan.json", json.dumps(HEAD | {"version": 3}).encode(), "version 3; this drystone reads version 2"),
        ("plan.json", json.dumps(HEAD | {"rank": 3}).encode(), "no rank 3 of 1"),
        ("plan.json", json.dumps(HEAD | {"rank": "0"}).encode(), "says .'rank': '0'., where whole numbers belong"),
        ("plan.json", json.dumps(HEAD | {"max_cells": "many"}).encode(), "says .*'max_cells': 'many'"),
        ("spans.parquet", None, "spans.parquet"),
        ("spans.parquet", b"PAR1", "not a whole file"),
        ("spans.parquet", _parquet(batch=[0]), "plan.table has no column 'row'"),
        ("lengths.parquet", _parquet(length=[3, -1]), "lengths.1. is -1"),
        ("lengths.parquet", _parquet(size=[3]), "length"),
        (
            "dropped.parquet",
            _parquet(sequence=[0.5], offset=[0], length=[1], reason=["x"]),
            "must be int64 without missing values; got double",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    path = tmp_path / "plan.zip"
    Padded(2).plan([3, 1, 2]).save(path)
    _rewritten(path, name, content)
    with pytest.raises(DataError, match=words):
        Plan.load(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        Plan.load(tmp_path / "none.zip")
    with pytest.raises(DataError, match="there is no file"):
        Plan.load(tmp_path)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a.parquet is not a whole file of a plan"):
        Plan.load(tmp_path / "a.parquet")


def test_damage_of_a_compressed_file_is_named(tmp_path: Path) -> None:
    Padded(2).plan([3, 1]).save(tmp_path / "plan.zip")
    with ZipFile(tmp_path / "plan.zip") as plain, ZipFile(tmp_path / "small.zip", "w", ZIP_DEFLATED) as small:
        for name in plain.namelist():
            small.writestr(name, plain.read(name))
    content = bytearray((tmp_path / "small.zip").read_bytes())
    start = content.index(b"plan.json") + len("plan.json")
    content[start : start + 2] = b"\xff\xff"
    (tmp_path / "small.zip").write_bytes(content)
    with pytest.raises(DataError, match="not a whole file of a plan"):
        Plan.load(tmp_path / "small.zip")
