"""Data in shards are the same as the same data in memory, to the bit: values, types, keys, batches."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drystone import Bucketed, Loader, Packed, Padded, Sequences, Stateful, read
from drystone.readers.shards import pieces

TEXTS = st.sampled_from(["", "a", "naïve", "two words", "ß"])
NUMBERS = st.floats(width=32)
STEPS = {
    "float32": (pa.float32(), NUMBERS),
    "float32 or none": (pa.float32(), st.none() | NUMBERS),
    "int16": (pa.int16(), st.integers(-5, 5)),
    "int64 or none": (pa.int64(), st.none() | st.integers(-(2**53), 2**53)),
    "bool": (pa.bool_(), st.booleans()),
    "vector": (pa.list_(pa.float64(), 2), st.tuples(NUMBERS, NUMBERS)),
    "text": (pa.string(), TEXTS),
    "text or none": (pa.string(), st.none() | TEXTS),
    "category": (pa.dictionary(pa.int8(), pa.string()), TEXTS),
    "time": (pa.timestamp("ms"), st.none() | st.integers(0, 2**40)),
}
LAYOUTS = (Padded(2), Bucketed(num_buckets=2, batch_size=3), Packed(rows=2, steps=100), Stateful(rows=2, steps=3))


@st.composite
def tables(draw, least_steps=1):
    """Draws a table of one sequence a row, with fields of all kinds a step and a sequence."""
    lengths = draw(st.lists(st.integers(least_steps, 8), min_size=1, max_size=12))
    columns = {}
    for name in draw(st.lists(st.sampled_from(list(STEPS)), min_size=1, max_size=4, unique=True)):
        kind, values = STEPS[name]
        lists = [draw(st.lists(values, min_size=length, max_size=length)) for length in lengths]
        columns[name] = pa.array(lists, pa.list_(kind))
    for name in draw(st.lists(st.sampled_from(list(STEPS)), max_size=2, unique=True)):
        kind, values = STEPS[name]
        columns[f"{name} a sequence"] = pa.array(
            draw(st.lists(values, min_size=len(lengths), max_size=len(lengths))), kind
        )
    return pa.table(columns)


def write(table: pa.Table, path: Path, group_rows: int) -> None:
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=group_rows)
    elif path.suffix == ".feather":
        feather.write_feather(table, path, compression="lz4", chunksize=group_rows)
    else:
        new = pa.ipc.new_file if path.suffix == ".arrow" else pa.ipc.new_stream
        with new(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=group_rows)


def in_shards(draw, table: pa.Table, folder: Path) -> None:
    """Writes a table into shards, cut anywhere, of any format; some hold no rows."""
    borders = sorted(draw(st.lists(st.integers(0, table.num_rows), max_size=4)))
    for number, (start, stop) in enumerate(zip([0, *borders], [*borders, table.num_rows], strict=True)):
        ending = draw(st.sampled_from(["parquet", "arrow", "feather", "ipc"]))
        write(table.slice(start, stop - start), folder / f"part-{number}.{ending}", draw(st.integers(1, 5)))


def assert_same(left: Sequences, right: Sequences) -> None:
    assert repr(left) == repr(right)
    assert left.lengths.tolist() == right.lengths.tolist()
    assert left.dropped.tolist() == right.dropped.tolist()
    assert (left.sequence_id, left.order_by, left.text) == (right.sequence_id, right.order_by, right.text)
    assert left.fingerprint() == right.fingerprint()
    for name in left.field_names:
        one, other = left.field(name), right.field(name)
        assert one.values.dtype == other.values.dtype
        np.testing.assert_array_equal(one.values, other.values)
        assert type(one.values) is type(other.values)


def assert_same_batches(left: Sequences, right: Sequences) -> None:
    for layout in LAYOUTS:
        pairs = zip(Loader(left, layout, seed=3), Loader(right, layout, seed=3), strict=True)
        for one, other in pairs:
            for name in left.field_names:
                np.testing.assert_array_equal(one[name], other[name])
            np.testing.assert_array_equal(one.scored, other.scored)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 64)


@settings(max_examples=20)
@given(data=st.data())
def test_shards_are_as_their_table_in_memory(data):
    table = data.draw(tables())
    with TemporaryDirectory() as folder:
        in_shards(data.draw, table, Path(folder))
        found, expected = read(folder), read(table)
        assert_same(found, expected)
        assert_same_batches(found, expected)
        assert_same(read(folder), expected)


@settings(max_examples=20)
@given(data=st.data())
def test_views_of_shards_are_as_those_of_memory(data):
    table = data.draw(tables())
    with TemporaryDirectory() as folder:
        in_shards(data.draw, table, Path(folder))
        found, expected = read(folder), read(table)
        for view in (lambda seqs: seqs.cut(2, lead=1), lambda seqs: seqs.truncate(3), lambda seqs: seqs[::-1].join()):
            assert_same(view(found), view(expected))
            assert_same_batches(view(found), view(expected))


@settings(max_examples=20)
@given(data=st.data())
def test_empty_sequences_are_left_out_as_in_memory(data):
    table = data.draw(tables(least_steps=0).filter(any_steps))
    with TemporaryDirectory() as folder:
        in_shards(data.draw, table, Path(folder))
        assert_same(read(folder, on_empty="drop"), read(table, on_empty="drop"))


def any_steps(table: pa.Table) -> bool:
    return any(len(row) for row in table.column(0).to_pylist())


@settings(max_examples=20)
@given(data=st.data())
def test_documents_in_shards(data):
    documents = data.draw(st.lists(TEXTS.filter(bool), min_size=1, max_size=9))
    table = pa.table({"review": documents, "stars": list(range(len(documents)))})
    with TemporaryDirectory() as folder:
        in_shards(data.draw, table, Path(folder))
        assert_same(read(folder, text="review"), read(table, text="review"))


@settings(max_examples=20)
@given(data=st.data())
def test_series_of_one_step_a_row_go_on_in_the_next_shard(data):
    lengths = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=6))
    ids = np.repeat([f"pump-{index}" for index in range(len(lengths))], lengths)
    times = np.concatenate([np.arange(length) for length in lengths])
    table = pa.table({"id": ids, "t": times, "load": np.arange(len(ids)) / 7, "kind": [each[-1] for each in ids]})
    with TemporaryDirectory() as folder:
        in_shards(data.draw, table, Path(folder))
        how = {"sequence_id": "id", "order_by": "t", "per_sequence": ["kind"]}
        found, expected = read(folder, **how), read(table, **how)
        assert_same(found, expected)
        assert_same_batches(found, expected)
        for sequence, step in ((0, 0), (len(lengths) - 1, lengths[-1] - 1)):
            assert "part-" in found.place(sequence, step)


@settings(max_examples=20)
@given(data=st.data())
def test_one_series_over_all_shards(data):
    table = pa.table({"t": np.arange(20), "load": np.arange(20) / 7})
    with TemporaryDirectory() as folder:
        in_shards(data.draw, table, Path(folder))
        assert_same(read(folder, order_by="t"), read(table, order_by="t"))


@settings(max_examples=20)
@given(data=st.data())
def test_saved_views_in_shards_keep_keys_and_what_is_scored(data):
    seqs = Sequences.from_arrays({"x": [[1.0, 2.0, 3.0, 4.0]] * 3}, {"id": ["a", "b", "c"]}).cut(2, lead=1)
    table = seqs.to_arrow().replace_schema_metadata({"drystone.sequence_id": "id"})
    with TemporaryDirectory() as folder:
        in_shards(data.draw, table, Path(folder))
        found, expected = read(folder), read(table)
        assert_same(found, expected)
        assert_same_batches(found, expected)
        assert found.sequence_id == "id"
