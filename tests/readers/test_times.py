"""Times that fall, times as text, and time zones."""

import datetime
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone.core.errors import DataError
from drystone.readers import read

ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), min_size=1, max_size=30)
DAY = np.datetime64("2024-01-01", "s")


def late_rows(rows):
    """With a plain loop: the rows whose time is before that of the row of their sequence above them."""
    last, found = {}, []
    for row, (name, time) in enumerate(rows):
        if time < last.get(name, time):
            found.append(row)
        last[name] = time
    return found


@pytest.mark.filterwarnings("ignore:'t' repeats within")
@given(ROWS)
def test_rows_out_of_order_are_counted_as_a_loop_would(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    path.write_text("\n".join(["id,t", *(f"{name},{time}" for name, time in rows)]))
    seqs = read(path, sequence_id="id", order_by="t")
    late = late_rows(rows)
    assert len(seqs.remarks) == bool(late)
    if late:
        words = f"'t', which falls at {len(late)} of {len(rows)} rows, first at line {late[0] + 2} of rows.csv"
        assert words in seqs.remarks[0]
    for found in seqs:
        assert found["t"].tolist() == sorted(time for name, time in rows if name == found["id"])


@given(ROWS)
def test_a_falling_timestamp_that_orders_nothing_is_told(rows):
    days = [DAY + np.timedelta64(time, "D") for _, time in rows]
    table = pa.table({"id": [name for name, _ in rows], "day": days, "v": range(len(rows))})
    late = late_rows(rows)
    if not late:
        assert read(table, sequence_id="id").num_steps == len(rows)
        return
    words = rf"'day' falls at {len(late)} of {len(rows)} rows, first at .*\(row {late[0]}\).*--order-by day"
    with pytest.warns(UserWarning, match=words):
        read(table, sequence_id="id")


def test_falling_is_told_only_of_what_must_be_the_order():
    days = pa.array([datetime.date(2024, 1, 2), None, datetime.date(2024, 1, 1)])
    falling = {"id": ["a"] * 3, "n": [3, 2, 1], "born": [datetime.date(1990, 1, 1)] * 3}
    read(pa.table(falling), sequence_id="id")
    read(pa.table({**falling, "day": days}), sequence_id="id")
    once = pa.table({"id": ["a", "b"], "day": days.take(pa.array([0, 2]))})
    read(once, sequence_id="id")


def test_shuffled_long_tables_come_back_in_order():
    steps = [(sequence, step) for sequence in range(40) for step in range(50)]
    random.Random(0).shuffle(steps)
    seqs = read(pa.table({"id": [s for s, _ in steps], "t": [t for _, t in steps]}), sequence_id="id", order_by="t")
    assert [found["t"].tolist() for found in seqs] == [list(range(50))] * 40


BAD_TIMES = [
    (["2024-01-01", "2024-01-02 10:00:00", "03.01.2024"], r"'03.01.2024' \(line 4 of p.csv\) is none of the form"),
    (["2024-01-01", "2024-02-30", "2024-03-01"], r"'2024-02-30' \(line 3 of p.csv\)"),
    (["2024-01-01", "unknown", "2024-03-01"], r"'unknown' \(line 3 of p.csv\)"),
    (["31/12/2023", "01/01/2024", "02/01/2024"], r"'31/12/2023' \(line 2 of p.csv\)"),
    (["2024-01-01 25:00", "2024-01-01 10:00", "2024-01-01 11:00"], r"'2024-01-01 25:00' \(line 2"),
    (
        ["2024-01-01T10:00Z", "2024-01-01T10:00", "2024-01-01T11:00Z"],
        r"several zones: .*line 2.* and .*line 3 of p.csv",
    ),
]


@pytest.mark.parametrize(("times", "words"), BAD_TIMES)
def test_text_that_was_meant_as_times_is_refused(tmp_path, times, words):
    path = tmp_path / "p.csv"
    path.write_text("t,v\n" + "".join(f"{time},1\n" for time in times))
    with pytest.raises(DataError, match=words):
        read(path, order_by="t")


def test_other_text_orders_as_text():
    for texts in (
        ["s1", "s2"],
        ["1.2", "1.3"],
        ["2024-01-01", "2024-01-02"],
        ["2024-01-01T10:00Z"] * 1,
        ["-", "2024-01-01"],
    ):
        assert read(pa.table({"t": texts}), order_by="t")[0]["t"].tolist() == texts


def test_a_missing_time_is_named(tmp_path):
    (tmp_path / "p.csv").write_text("t,v\n2024-01-01,1\nn/a,2\n")
    with pytest.raises(DataError, match="line 3 of p.csv has no value in column 't'"):
        read(tmp_path / "p.csv", order_by="t")


def test_times_with_zones_become_utc(tmp_path):
    (tmp_path / "p.csv").write_text("t,v\n2024-01-01T00:30+01:00,1\n2024-01-01T00:00Z,2\n2024-01-01T02:00+01:00,3\n")
    seqs = read(tmp_path / "p.csv", order_by="t")
    times = np.array(["2023-12-31T23:30", "2024-01-01T00:00", "2024-01-01T01:00"], "M8[s]")
    np.testing.assert_array_equal(seqs[0]["t"], times)
    berlin = pa.array(times, pa.timestamp("s", "UTC")).cast(pa.timestamp("s", "Europe/Berlin"))
    for table in (
        pa.table({"t": berlin}),
        pa.table({"t": pa.ListArray.from_arrays(pa.array([0, 3], pa.int32()), berlin)}),
    ):
        np.testing.assert_array_equal(read(table, order_by="t")[0]["t"], times)


def test_days_and_epoch_seconds_order_steps(tmp_path):
    (tmp_path / "p.csv").write_text("day,second,v\n2024-01-02,1704153600,2\n2024-01-01,1704067200,1\n")
    for name, kind in (("day", "datetime64[s]"), ("second", "int64")):
        seqs = read(tmp_path / "p.csv", order_by=name)
        assert seqs[0]["v"].tolist() == [1, 2]
        assert str(seqs.field(name).values.dtype) == kind
