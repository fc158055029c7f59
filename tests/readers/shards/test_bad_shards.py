"""What keeps shards from being read as one: it is named, and nothing is left behind."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drystone import read
from drystone.core.errors import DataError

GOOD = {"x": [[1.0, 2.0], [3.0]], "y": ["a", "b"]}


def write(folder: Path, **shards) -> None:
    folder.mkdir(exist_ok=True)
    for name, columns in shards.items():
        pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), folder / f"{name}.parquet")


def assert_refused(source, words: str, **how) -> None:
    with pytest.raises(DataError, match=re.escape(words)):
        read(source, **how)


def assert_nothing_left(folder: Path) -> None:
    assert [path for path in (folder / ".drystone").rglob("*") if path.suffix != ".lock"] == []


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"x": [[1.0]]}, "b.parquet has no column 'y', where a.parquet has x, y"),
        (GOOD | {"z": [1, 2]}, "b.parquet has a column 'z' more, where a.parquet has x, y"),
        (
            GOOD | {"x": [["no"], ["numbers"]]},
            "b.parquet holds lists of text (list<element: string>) in column 'x', and a.parquet lists of numbers",
        ),
        (GOOD | {"y": [1, 2]}, "b.parquet holds numbers (int64) in column 'y', and a.parquet text"),
        (GOOD | {"x": [[1.0], None]}, "row 1 of b.parquet: column 'x' is missing"),
        (GOOD | {"x": [[1.0], []]}, "row 1 of b.parquet has length 0"),
        (GOOD | {"x": [[[1.0]], [[2.0]]]}, "b.parquet holds lists of lists of numbers"),
    ],
)
def test_a_shard_unlike_the_first(tmp_path, other, words):
    write(tmp_path, a=GOOD, b=other)
    assert_refused(tmp_path, words)
    assert_nothing_left(tmp_path)


def test_vectors_of_other_sizes(tmp_path):
    write(tmp_path, a={"x": [[[1.0, 2.0]]]}, b={"x": [[[1.0, 2.0, 3.0]]]})
    assert_refused(tmp_path, "field 'x': the values of b.parquet are numbers of shape (3,)")
    assert_nothing_left(tmp_path)


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
@pytest.mark.parametrize("cut", [0, 3, 0.3, 0.9])
def test_a_shard_that_is_cut_off(tmp_path, ending, cut):
    write(tmp_path, a=GOOD)
    path = tmp_path / f"b.{ending}"
    table = pa.table({"x": [[float(number) for number in range(100)]] * 20, "y": ["a"] * 20})
    if ending == "parquet":
        pq.write_table(table, path)
    else:
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    whole = path.read_bytes()
    path.write_bytes(whole[: cut if isinstance(cut, int) else int(cut * len(whole))])
    assert_refused(tmp_path, f"b.{ending}")
    assert_nothing_left(tmp_path)


def test_a_damaged_page_is_refused(tmp_path):
    write(tmp_path, a=GOOD)
    path = tmp_path / "b.parquet"
    table = pa.table({"x": [[float(number) for number in range(1000)]], "y": ["a"]})
    pq.write_table(table, path, use_dictionary=False, compression="zstd")
    content = bytearray(path.read_bytes())
    content[100:400] = bytes(300)
    path.write_bytes(content)
    assert_refused(tmp_path, "b.parquet is cut off or damaged, or no Parquet file")
    assert_nothing_left(tmp_path)


def test_no_rows_at_all(tmp_path):
    write(tmp_path, a=pa.table(GOOD).slice(0, 0), b=pa.table(GOOD).slice(0, 0))
    assert_refused(tmp_path, "no shard has rows")


def test_nothing_but_empty_sequences(tmp_path):
    write(tmp_path, a={"x": pa.array([[], []], pa.list_(pa.float64()))})
    assert_refused(tmp_path, "every sequence has length 0", on_empty="drop")


def test_numbers_too_large_for_the_fractions_that_missing_ones_need(tmp_path):
    write(tmp_path, a={"x": [[2**60]]}, b={"x": [[1, None]]})
    assert_refused(tmp_path, "field 'x': 1152921504606846976 is too large")


def test_sources_that_name_no_shard(tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n")
    (tmp_path / "empty").mkdir()
    assert_refused([tmp_path / "b.parquet"], f"there is no file {tmp_path / 'b.parquet'}")
    assert_refused([tmp_path / "a.csv"], "a.csv is no shard; shards are files that end in .parquet")
    assert_refused(str(tmp_path / "*.parquet"), "there is no shard in")
    assert_refused(tmp_path / "empty", "A folder is read where it holds Parquet or Arrow files")
    assert_refused([], "read takes a path")


def test_a_shard_that_is_named_twice(tmp_path):
    write(tmp_path, a=GOOD)
    assert_refused([tmp_path / "a.parquet", tmp_path / "." / "a.parquet"], "is named twice")


STEPS = {"id": ["p", "p"], "t": [1, 2], "v": [0.5, 1.5], "kind": ["a", "a"]}
HOW = {"sequence_id": "id", "order_by": "t", "per_sequence": ["kind"]}


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (STEPS | {"t": [1, 5]}, "'t' falls from 2 at the end of a.parquet to 1 at the start of b.parquet"),
        (
            STEPS | {"t": [3, 4], "kind": ["b", "b"]},
            "column 'kind' differs within a sequence: 'a' in a.parquet and 'b' in b.parquet",
        ),
    ],
)
def test_a_series_that_does_not_go_on_as_it_was(tmp_path, second, words):
    write(tmp_path, a=STEPS, b=second)
    assert_refused(tmp_path, words, **HOW)
    assert_nothing_left(tmp_path)


def test_a_series_that_goes_on_after_another(tmp_path):
    write(tmp_path, a=STEPS, b=STEPS | {"id": ["q", "q"]}, c=STEPS | {"t": [3, 4]})
    assert_refused(tmp_path, "'id' 'p' lies in a.parquet and again in c.parquet", **HOW)


def test_one_time_in_two_shards(tmp_path):
    write(tmp_path, a=STEPS, b=STEPS | {"t": [2, 4]})
    with pytest.warns(UserWarning, match="'t' repeats from 2 at the end of a.parquet"):
        assert read(tmp_path, **HOW).lengths.tolist() == [4]
    assert_refused(tmp_path, "put all steps of one time into one shard", duplicates="first", **HOW)


def test_a_column_that_is_missing_throughout_a_shard_is_one_of_missing_values(tmp_path):
    write(tmp_path, a={"x": [[None, None]], "y": pa.nulls(1)}, b={"x": [[1.0]], "y": ["b"]})
    seqs = read(tmp_path)
    assert seqs.field("y").values.tolist() == [None, "b"]
    assert str(seqs.field("x").values.tolist()) == "[nan, nan, 1.0]"


def test_options_of_text_files_say_nothing_of_shards(tmp_path):
    write(tmp_path, a=GOOD)
    for source in (tmp_path, [tmp_path / "a.parquet"]):
        with pytest.warns(UserWarning, match="encoding .* has no effect"):
            read(source, encoding="latin-1")
