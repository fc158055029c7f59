"""Shards that lie elsewhere, through fsspec."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drystone import read
from drystone.core.errors import DataError, MissingExtraError
from drystone.readers.shards import find, scan

X = [[[1.0, 2.0], [3.0]], [[4.0]]]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("DRYSTONE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def bucket() -> Iterator[str]:
    files = fsspec.filesystem("memory")
    write(files, "/bucket/a.parquet", X[0])
    write(files, "/bucket/deep/b.arrow", X[1])
    files.pipe("/bucket/_SUCCESS", b"")
    yield "memory://bucket"
    files.rm("/bucket", recursive=True)


def write(files, path: str, x: list) -> None:
    table = pa.table({"x": x})
    with files.open(path, "wb") as file:
        if path.endswith(".parquet"):
            pq.write_table(table, file)
        else:
            with pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table)


@pytest.mark.parametrize("address", ["", "/", "/*.parquet", "/**/*.arrow", "/a.parquet"])
def test_an_address_of_a_folder_a_pattern_or_a_file(bucket, address):
    expected = {"/*.parquet": [1.0, 2.0, 3.0], "/**/*.arrow": [4.0], "/a.parquet": [1.0, 2.0, 3.0]}
    found = read(f"{bucket}{address}").field("x").values
    assert found.tolist() == expected.get(address, [1.0, 2.0, 3.0, 4.0])


def test_a_list_of_addresses_and_paths(bucket, tmp_path):
    pq.write_table(pa.table({"x": [[0.5]]}), tmp_path / "here.parquet")
    seqs = read([f"{bucket}/deep/b.arrow", tmp_path / "here.parquet"])
    assert seqs.field("x").values.tolist() == [4.0, 0.5]


def test_shards_elsewhere_are_read_once_and_again_when_they_change(bucket, monkeypatch):
    scans, real = [], scan.convert
    monkeypatch.setattr(scan, "convert", lambda shard, *rest: scans.append(shard.name) or real(shard, *rest))
    read(bucket)
    read(bucket)
    assert len(scans) == 2
    write(fsspec.filesystem("memory"), "/bucket/a.parquet", [[9.0, 9.0], [9.0]])  # of the same size
    assert read(bucket).field("x").values.tolist() == [9.0, 9.0, 9.0, 4.0]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("memory://nowhere/a.parquet", "cannot read memory://nowhere/a.parquet"),
        ("memory://bucket/_SUCCESS", "_SUCCESS is no shard"),
        ("memory://bucket/*.feather", "there is no shard in memory://bucket/*.feather"),
        ("nosuch://bucket", "cannot read nosuch://bucket: Protocol not known: nosuch"),
    ],
)
def test_addresses_that_name_no_shard(bucket, address, words):
    with pytest.raises(DataError, match=re.escape(words)):
        read(address)


def test_a_server_that_fails_while_a_shard_is_read(bucket, monkeypatch, cache):
    class NoAnswerError(Exception):
        """Servers fail in ways of their own."""

    files = fsspec.filesystem("memory")

    def fail(*_args, **_more):
        raise NoAnswerError("no answer in 60 s")

    shards = find.find_shards(bucket)
    monkeypatch.setattr(files, "open", fail)
    assert shards.members[0].files is files
    with pytest.raises(DataError, match=r"cannot read a.parquet: no answer in 60 s"):
        read(bucket)
    assert [path for path in cache.iterdir() if path.suffix != ".lock"] == []


def test_fsspec_is_an_extra(monkeypatch):
    monkeypatch.setattr("drystone.core.extras.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"drystone\[fsspec\]"):
        read("s3://bucket/data/")


class Server(SimpleHTTPRequestHandler):
    """Answers for parts of files, as servers of data do."""

    def log_message(self, *args) -> None:
        pass

    def do_GET(self) -> None:
        content = Path(self.translate_path(self.path)).read_bytes()
        asked = self.headers.get("Range")
        if asked is None:
            super().do_GET()
            return
        first, last = asked.removeprefix("bytes=").split("-")
        part = content[int(first) : int(last) + 1]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_shards_of_a_web_server(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    for name, x in zip("ab", X, strict=True):
        pq.write_table(pa.table({"x": x}), folder / f"{name}.parquet")
    with serving(folder) as address:
        seqs = read([f"{address}/a.parquet", f"{address}/b.parquet"])
        assert seqs.field("x").values.tolist() == [1.0, 2.0, 3.0, 4.0]
        with pytest.raises(DataError, match=r"cannot read http.*/c.parquet"):
            read([f"{address}/a.parquet", f"{address}/c.parquet"])
