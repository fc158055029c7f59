"""A file that is cut off anywhere, or has a byte changed, gives sequences or a DataError, and nothing else."""

import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drystone import Sequences
from drystone.core.errors import DataError
from drystone.readers import read

TABLE = pa.table({"x": [[1.5, None], [3.0]] * 20, "w": [["a", "bé"], ["c"]] * 20, "y": ["ü", "b"] * 20})
CSV = "id,t,v,w\n" + "".join(f'{i // 3},{i},{i / 7},"é\n{i}"\n' for i in range(30))


def jsonl(path):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in TABLE.to_pylist()))


def stream(path):
    with pa.ipc.new_stream(path, TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=10)


def ts(path):
    header = "@problemName t\n@dimensions 2\n@classLabel true aa bb\n@data\n"
    path.write_text(header + "1.5,2:3,4.25:aa\n7:8:bb\n" * 20)


MAKERS = {
    "s.parquet": lambda path: pq.write_table(TABLE, path),
    "s.arrow": lambda path: read(TABLE).save(path),
    "stream.ipc": stream,
    "s.jsonl": jsonl,
    "s.csv": lambda path: path.write_text(CSV),
    "lists.csv": lambda path: path.write_text('x,y\n"[1, 2]",a\n"[3.5, null]",b\n'),
    "s.csv.gz": lambda path: path.write_bytes(gzip.compress(CSV.encode())),
    "s.tsv": lambda path: path.write_text(CSV.replace(",", "\t")),
    "s.npz": lambda path: np.savez(path, offsets=[0, 2, 5], x=np.ones((5, 2)), y=["a", "b"]),
    "packed.npz": lambda path: np.savez_compressed(path, lengths=[2, 3], x=np.ones((2, 4, 2))),
    "s.ts": ts,
    "s.txt": lambda path: path.write_text("é\nà\n" * 20, encoding="utf-8"),
    "s.txt.gz": lambda path: path.write_bytes(gzip.compress("é\nà\n".encode() * 20)),
    "s.conll": lambda path: path.write_text("EU B-é\nrejects O\n\nPeter B-PER\n" * 5, encoding="utf-8"),
    "s.bio.gz": lambda path: path.write_bytes(gzip.compress(b"EU O\n\nPeter B-PER\n" * 5)),
}


def read_any(path) -> Sequences:
    steps = path.name.startswith(("s.csv", "s.tsv"))
    return read(path, sequence_id="id" if steps else None, on_empty="drop")


@pytest.fixture(scope="module", params=MAKERS)
def whole(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / request.param
    MAKERS[request.param](path)
    return path


def read_or_refuse(path) -> Sequences | str:
    try:
        return read_any(path)
    except DataError as error:
        return str(error)


def check(path, data):
    path.write_bytes(data)
    outcome = read_or_refuse(path)
    if isinstance(outcome, str):
        assert path.name in outcome
    else:
        assert outcome.to_arrow().num_rows == len(outcome) > 0


def test_the_whole_file_reads(whole):
    assert read_any(whole).num_steps > 0


@pytest.mark.filterwarnings("ignore:column .* is text:UserWarning")  # half a number is none
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_cut_off(whole, tmp_path, data):
    content = whole.read_bytes()
    check(tmp_path / whole.name, content[: data.draw(st.integers(0, len(content) - 1))])


@pytest.mark.filterwarnings("ignore:column .* is text:UserWarning")  # a digit became a letter
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_one_byte_changed(whole, tmp_path, data):
    content = bytearray(whole.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    check(tmp_path / whole.name, bytes(content))
