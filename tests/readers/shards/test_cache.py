"""What is read of shards is kept: read once, whole or not at all, and again when they change."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import platformdirs
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drystone import read
from drystone.core.errors import DataError
from drystone.readers.shards import cache, raw, scan
from drystone.readers.shards import read as reader


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder / "a.parquet", [[1.0, 2.0], [3.0]], ["a", None])
    write(folder / "b.parquet", [[4.0]], ["c"])
    return folder


@pytest.fixture
def scans(monkeypatch) -> list[str]:
    """The shards that were read, by name."""
    found, real = [], scan.convert
    monkeypatch.setattr(scan, "convert", lambda shard, *rest: found.append(shard.name) or real(shard, *rest))
    return found


def write(path: Path, x: list, y: list) -> None:
    pq.write_table(pa.table({"x": x, "y": y}), path)


def stores(place: Path) -> list[Path]:
    return [path for path in place.iterdir() if path.suffix != ".lock"]


def values(source, **how) -> list[float]:
    seqs = read(source, **how)
    assert seqs.field("y").values.tolist()[:2] == ["a", None]
    return seqs.field("x").values.tolist()


def test_shards_are_read_once_and_beside_them(folder, scans):
    assert values(folder) == values(folder) == [1.0, 2.0, 3.0, 4.0]
    assert sorted(scans) == ["a.parquet", "b.parquet"]
    assert len(stores(folder / ".drystone")) == 1


def test_one_source_has_one_store_for_each_way_to_read_it(folder, scans):
    read(folder)
    read(folder, on_empty="drop")
    read(str(folder / "*.parquet"))
    assert len(scans) == 6
    assert len(stores(folder / ".drystone")) == 3


@pytest.mark.parametrize("change", ["size", "time", "more", "fewer"])
def test_shards_that_change_are_read_again_and_the_old_store_goes(folder, scans, change):
    before = read(folder)
    del scans[:]
    if change == "size":
        write(folder / "b.parquet", [[4.0, 5.0]], ["c"])
    elif change == "time":
        os.utime(folder / "b.parquet", ns=(1, 1))
    elif change == "more":
        write(folder / "c.parquet", [[5.0]], ["d"])
    else:
        (folder / "b.parquet").unlink()
    expected = {"size": [4.0, 5.0], "time": [4.0], "more": [4.0, 5.0], "fewer": []}[change]
    assert values(folder) == [1.0, 2.0, 3.0, *expected]
    assert scans
    assert len(stores(folder / ".drystone")) == 1
    assert before.field("x").values.tolist() == [1.0, 2.0, 3.0, 4.0]


def files_of_store() -> list[str]:
    return ["0.values", "1.offsets", "1.bytes", "1.missing", "lengths", "scored_from", "scored_to", "store.json"]


@pytest.mark.parametrize("damage", ["cut", "gone", "written to", "longer"])
@pytest.mark.parametrize("name", files_of_store())
def test_damaged_stores_are_made_anew(folder, scans, name, damage):
    read(folder)
    (store,) = stores(folder / ".drystone")
    assert sorted(path.name for path in store.iterdir()) == sorted(files_of_store())
    path = store / name
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "longer":
        path.write_bytes(content + b"12345678")
    else:
        path.write_bytes(content[:-3] + bytes(byte ^ 1 for byte in content[-3:]))
    assert values(folder) == [1.0, 2.0, 3.0, 4.0]
    assert len(scans) == 4


def test_a_note_of_another_format_is_not_trusted(folder, scans, monkeypatch):
    read(folder)
    monkeypatch.setattr("drystone.readers.shards.store.FORMAT", 2)
    assert values(folder) == [1.0, 2.0, 3.0, 4.0]
    assert len(scans) == 4


@pytest.mark.parametrize(("where", "what"), [(scan, "convert"), (reader, "join"), (reader, "write_note")])
def test_ctrl_c_leaves_nothing_half_made(folder, monkeypatch, where, what):
    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(where, what, interrupt)
        with pytest.raises(KeyboardInterrupt):
            read(folder)
    assert stores(folder / ".drystone") == []
    assert values(folder) == [1.0, 2.0, 3.0, 4.0]


def test_what_a_killed_process_left_is_removed(folder):
    read(folder)
    (store,) = stores(folder / ".drystone")
    shutil.copytree(store, store.with_name(f"{store.name}.partial"))
    store.rename(store.with_name(f"{store.name}.old"))
    assert values(folder) == [1.0, 2.0, 3.0, 4.0]
    assert stores(folder / ".drystone") == [store]


def test_readers_at_the_same_time_make_one_store(folder, scans):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: values(folder), range(4)))
    assert found == [[1.0, 2.0, 3.0, 4.0]] * 4
    assert len(scans) == 2


def test_the_environment_says_where(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("DRYSTONE_CACHE", str(tmp_path / "cache"))
    assert values(folder) == [1.0, 2.0, 3.0, 4.0]
    assert not (folder / ".drystone").exists()
    assert len(stores(tmp_path / "cache")) == 1


def test_a_folder_that_cannot_be_written_is_kept_in_the_users(folder, tmp_path, monkeypatch, scans):
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "user" / name)
    monkeypatch.setattr(cache.os, "access", lambda path, mode: Path(path) != folder)
    assert values(folder) == values(folder) == [1.0, 2.0, 3.0, 4.0]
    assert len(scans) == 2
    assert len(stores(tmp_path / "user" / "drystone")) == 1


def test_a_store_beside_data_serves_those_who_may_only_read(folder, monkeypatch, scans):
    read(folder)
    monkeypatch.setattr(cache.os, "access", lambda path, mode: False)
    assert values(folder) == [1.0, 2.0, 3.0, 4.0]
    assert len(scans) == 2


def test_no_folder_to_write_to(folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DRYSTONE_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"cannot be written: File exists.*DRYSTONE_CACHE"):
        read(folder)


def test_a_full_disk(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(raw.RawWriter, "append", full)
    with pytest.raises(DataError, match=r"No space left on device.*DRYSTONE_CACHE"):
        read(folder)
    assert stores(folder / ".drystone") == []


def test_files_of_tools_are_no_shards(folder):
    (folder / "_SUCCESS").write_text("")
    (folder / "_common_metadata.parquet").write_text("")
    (folder / ".hidden.parquet").write_text("")
    (folder / "README.md").write_text("")
    assert values(folder) == [1.0, 2.0, 3.0, 4.0]


def test_shards_lie_in_the_order_of_their_names_and_of_a_list_in_its_own(folder):
    (folder / "more").mkdir()
    write(folder / "more" / "0.parquet", [[9.0]], ["z"])
    assert values(folder) == [1.0, 2.0, 3.0, 4.0, 9.0]
    listed = [folder / "b.parquet", str(folder / "a.parquet")]
    assert read(listed).field("x").values.tolist() == [4.0, 1.0, 2.0, 3.0]
    assert read(str(folder / "**" / "*.parquet")).field("x").values.tolist() == [1.0, 2.0, 3.0, 4.0, 9.0]
    assert read(folder).place(3) == "sequence 3, row 0 of more/0.parquet"
