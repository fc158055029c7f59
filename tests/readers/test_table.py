"""Tables of one sequence a row, and the ways to name a source."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drystone import Sequences
from drystone.core.errors import DataError
from drystone.readers import read


def equal(left: Sequences, right: Sequences) -> bool:
    return left.to_arrow().equals(right.to_arrow(), check_metadata=True)


def test_lists_are_steps_and_the_rest_is_per_sequence():
    seqs = read(pa.table({"x": [[1.0, None], [3.0]], "y": ["a", "b"]}), sequence_id="y")
    assert seqs.sequence_id == "y"
    np.testing.assert_array_equal(seqs.field("x").values, [1.0, np.nan, 3.0])


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames_of_lists(frame):
    seqs = read(frame({"x": [[1.0, 2.0], [3.0]], "tags": [["a", "b"], ["c"]]}))
    assert list(seqs.lengths) == [2, 1]
    assert list(seqs[0]["tags"]) == ["a", "b"]


@pytest.mark.parametrize("suffix", [".arrow", ".feather", ".ipc"])
def test_saved_sequences_come_back_with_their_keys(tmp_path, suffix):
    table = pa.table({"id": ["b", "a", "b"], "t": [3, 2, 1], "v": [[1.0, 2.0]] * 3})
    table = table.set_column(2, "v", table["v"].cast(pa.list_(pa.float64(), 2)))
    seqs = read(table, sequence_id="id", order_by="t")
    path = tmp_path / f"s{suffix}"
    seqs.save(path)
    again = read(path)
    assert (again.sequence_id, again.order_by) == ("id", "t")
    assert equal(again, seqs)


def test_arrow_streams_and_parquet(tmp_path):
    table = pa.table({"x": [[1.0], [2.0, 3.0]], "y": pa.array(["a", "b"]).dictionary_encode()})
    with pa.ipc.new_stream(tmp_path / "s.arrow", table.schema) as writer:
        writer.write_table(table)
    pq.write_table(table, tmp_path / "s.parquet")
    assert equal(read(tmp_path / "s.arrow"), read(table))
    assert equal(read(str(tmp_path / "s.parquet")), read(table))


def test_parquet_is_read_into_memory_of_arrows(tmp_path, monkeypatch):
    """Arrow's threads once let go of memory of Python's while the interpreter ended, and now and then brought it down."""
    pq.write_table(pa.table({"x": [[1.0]]}), tmp_path / "s.parquet")
    opened, real = [], pq.ParquetFile
    monkeypatch.setattr(pq, "ParquetFile", lambda source: opened.append(source) or real(source))
    read(tmp_path / "s.parquet")
    assert isinstance(opened[0], pa.OSFile)


@pytest.mark.parametrize("name", ["s.parquet", "s.arrow"])
def test_a_cut_off_file_is_called_so(tmp_path, name):
    read(pa.table({"x": [[1.0]]})).save(tmp_path / "s.arrow")
    pq.write_table(pa.table({"x": [[1.0]]}), tmp_path / "s.parquet")
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-9])
    with pytest.raises(DataError, match="is cut off or damaged"):
        read(tmp_path / name)


def test_offsets_outside_the_memory_are_refused():
    offsets = pa.py_buffer(np.array([0, 2_000_000_000, 1], np.int32))
    lists = pa.Array.from_buffers(pa.list_(pa.float64()), 2, [None, offsets], children=[pa.array([1.0])])
    with pytest.raises(DataError, match="cannot read the Table"):
        read(pa.table({"x": lists}))


def test_a_sequence_without_steps(tmp_path):
    (tmp_path / "s.jsonl").write_text('{"x": [1]}\n{"x": []}\n')
    with pytest.raises(DataError, match=r"sequence 1, line 2 of s.jsonl has length 0"):
        read(tmp_path / "s.jsonl")
    seqs = read(tmp_path / "s.jsonl", on_empty="drop")
    assert list(seqs.dropped) == [1]
    assert len(seqs) == 1


def test_on_empty_is_checked():
    with pytest.raises(DataError, match="on_empty"):
        read(pa.table({"x": [[1.0]]}), on_empty="drpo")


def test_unequal_lists_name_the_line(tmp_path):
    (tmp_path / "s.jsonl").write_text('{"x": [1], "z": [1]}\n\n{"x": [1], "z": [1, 2]}\n')
    with pytest.raises(DataError, match=r"line 3 of s.jsonl has 1 steps in column 'x' and 2 in column 'z'"):
        read(tmp_path / "s.jsonl")


def test_order_is_checked_where_sequences_are_whole():
    table = pa.table({"t": [[5, 6], [1, 3, 2]], "d": [["a", "b"], ["b", "c", "d"]]})
    assert read(table, order_by="d").order_by == "d"
    with pytest.raises(DataError, match="'t' falls or is missing in sequence 1: 3 at step 1 comes before 2"):
        read(table, order_by="t")


def test_order_needs_one_value_a_step():
    with pytest.raises(DataError, match="order_by is 'y', which has no single value a step"):
        read(pa.table({"x": [[1.0]], "y": [1]}), order_by="y")


def test_a_list_column_is_no_key():
    with pytest.raises(DataError, match="'x' has a value a step"):
        read(pa.table({"x": [[1.0]], "y": [1]}), sequence_id="x")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (pa.table({"x": pa.array([], pa.list_(pa.float64()))}), "has no rows"),
        (pa.Table.from_arrays([pa.array([[1]]), pa.array([[1]])], names=["x", "x"]), "two columns are called 'x'"),
        (
            pa.table({"x": [[1.0], None]}),
            "row 1: column 'x' is missing; every sequence needs a list. Leave the row out, or write a list.",
        ),
    ],
)
def test_tables_that_are_no_sequences(table, words):
    with pytest.raises(DataError, match=words):
        read(table)


def test_a_missing_file_gets_a_suggestion(tmp_path):
    (tmp_path / "pumps.csv").touch()
    with pytest.raises(DataError, match=r"there is no file .*pump.csv\. Did you mean 'pumps.csv'\?"):
        read(tmp_path / "pump.csv")
    with pytest.raises(DataError, match=r"Did you mean 'japanese-vowels'\?"):
        read("japanese_vowls")


def test_a_file_wins_over_a_built_in_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(read("japanese-vowels")) == 640
    (tmp_path / "japanese-vowels").touch()
    with pytest.raises(DataError, match="the known endings are"):
        read("japanese-vowels")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder, "is a folder"),
        (lambda folder: folder / "no" / "x.csv", "does not exist"),
        (lambda folder: [1, 2], "got list.*from_arrays"),
    ],
)
def test_sources_that_cannot_be_read(tmp_path, make, words):
    with pytest.raises(DataError, match=words):
        read(make(tmp_path))


def test_an_unknown_ending_lists_the_known_ones(tmp_path):
    (tmp_path / "x.xlsx").touch()
    with pytest.raises(DataError, match=r"\.parquet.*\.csv"):
        read(tmp_path / "x.xlsx")


@pytest.mark.parametrize("series", [pd.Series([1.0, 2.0]), pd.Series([1.0], name="x"), pl.Series("x", [1.0])])
def test_a_single_column_is_no_table(series):
    with pytest.raises(DataError, match="got a Series, one column. Pass it as .to_frame()"):
        read(series)
