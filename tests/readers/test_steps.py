"""Tables of one step a row."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone.core.errors import DataError
from drystone.readers import read

ROWS = st.lists(
    st.tuples(st.sampled_from(["b", "a", "c"]), st.integers(-3, 3), st.floats(-1, 1)), min_size=1, max_size=30
)


@pytest.mark.filterwarnings("ignore:'t' repeats within")
@given(ROWS, st.booleans())
def test_groups_as_a_loop_over_rows_would(rows, ordered):
    table = pa.table({"id": [r[0] for r in rows], "t": [r[1] for r in rows], "v": [r[2] for r in rows]})
    seqs = read(table, sequence_id="id", order_by="t" if ordered else None)
    groups: dict[str, list[tuple[str, int, float]]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row)
    assert list(seqs.field("id").values) == list(groups)
    for index, group in enumerate(groups.values()):
        expected = sorted(group, key=lambda row: row[1]) if ordered else group
        assert list(seqs[index]["t"]) == [row[1] for row in expected]
        assert list(seqs[index]["v"]) == [row[2] for row in expected]


@pytest.mark.filterwarnings("ignore:'t' repeats within")
@given(ROWS)
def test_origin_leads_back_to_every_row(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    lines = [f"{name},{time},{value!r}" for name, time, value in rows]
    path.write_text("\n".join(["id,t,v", *lines]))
    seqs = read(path, sequence_id="id", order_by="t")
    for position, value in enumerate(seqs.step_columns["v"].values):
        words = seqs.origin.where(position, 0)
        assert words.endswith(" of rows.csv")
        assert float(([*path.read_text().split("\n")][int(words.split()[1]) - 1]).split(",")[2]) == value


def test_keys_and_roles():
    table = pa.table({"id": [2, 1, 2], "t": [5, 1, 3], "site": ["x", "y", "x"], "v": [1.0, None, 3.0]})
    seqs = read(table, sequence_id="id", order_by="t", per_sequence=["site"])
    assert (seqs.sequence_id, seqs.order_by) == ("id", "t")
    assert set(seqs.step_columns) == {"t", "v"}
    assert list(seqs.field("site").values) == ["x", "y"]
    np.testing.assert_array_equal(seqs.field("v").values, [3.0, 1.0, np.nan])


def test_a_varying_value_is_named():
    table = pa.table({"id": ["p", "q", "q"], "site": ["x", "y", "z"], "v": [1, 2, 3]})
    with pytest.raises(DataError, match="'site' differs within sequence 'q': 'y' and 'z'"):
        read(table, sequence_id="id", per_sequence=["site"])


def test_missing_values_repeat_as_one_value():
    table = pa.table({"id": [1, 1], "site": pa.array([None, None], pa.float64()), "v": [1, 2]})
    assert np.isnan(read(table, sequence_id="id", per_sequence="site").field("site").values).all()


@pytest.mark.parametrize("ids", [[1, None], [1.0, float("nan")], ["a", ""], ["a", None]])
def test_a_missing_id_is_named(ids):
    with pytest.raises(DataError, match="row 1 has no value in column 'id'"):
        read(pa.table({"id": ids, "v": [1, 2]}), sequence_id="id")


def test_a_missing_order_is_named_by_line(tmp_path):
    (tmp_path / "p.csv").write_text("id,t,v\n1,1,1\n\n1,,2\n")
    with pytest.raises(DataError, match=r"line 4 of p.csv has no value in column 't'"):
        read(tmp_path / "p.csv", sequence_id="id", order_by="t")


def test_ids_that_floats_cannot_tell_apart_are_refused(tmp_path):
    (tmp_path / "p.csv").write_text("id,v\n12345678901234567890,1\n12345678901234567891,2\n")
    with pytest.raises(DataError, match="too large to tell apart"):
        read(tmp_path / "p.csv", sequence_id="id")


def test_no_key_names_the_option_and_the_columns():
    with pytest.raises(DataError, match=r"each row seems to be one step.*--sequence-id.*pump, load"):
        read(pa.table({"pump": [1], "load": [2.0]}))


@pytest.mark.parametrize("option", ["sequence_id", "order_by", "per_sequence"])
def test_an_unknown_column_gets_a_suggestion(option):
    options = {"sequence_id": "pump", option: "laod"}
    with pytest.raises(DataError, match=rf"{option} is 'laod'.*Did you mean 'load'.*pump, load"):
        read(pa.table({"pump": [1], "load": [2.0]}), **options)


def test_one_column_in_two_roles_is_refused():
    with pytest.raises(DataError, match="'t' is named twice"):
        read(pa.table({"id": [1], "t": [2.0]}), sequence_id="id", order_by="t", per_sequence=["t"])


def test_tables_of_other_libraries_read_alike():
    data = {"id": ["b", "a", "b"], "kind": ["x", "y", "x"], "v": [1.0, 2.0, 3.0]}
    frame = pd.DataFrame(data)
    categorical = pl.DataFrame(data).with_columns(pl.col("kind").cast(pl.Categorical))
    tables = [pa.table(data), frame, frame[frame.v > 0], pl.DataFrame(data), categorical, duckdb.from_df(frame)]
    for table in tables:
        seqs = read(table, sequence_id="id", per_sequence=["kind"])
        assert [list(seqs[i]["v"]) for i in range(2)] == [[1.0, 3.0], [2.0]]
        assert list(seqs.field("kind").values) == ["x", "y"]
        assert set(seqs.field_names) == {"id", "kind", "v"}


def test_days_order_steps():
    days = pd.to_datetime(["2024-03-02", "2024-03-01"])
    seqs = read(pd.DataFrame({"id": [1, 1], "day": days, "v": [2, 1]}), sequence_id="id", order_by="day")
    assert list(seqs[0]["v"]) == [1, 2]


def test_an_order_alone_makes_one_series(tmp_path):
    path = tmp_path / "load.csv"
    path.write_text("hour,load,place\n3,7.5,north\n1,2.5,north\n2,4.5,north\n")
    seqs = read(path, order_by="hour", per_sequence=["place"])
    assert [step.tolist() for step in (seqs[0]["hour"], seqs[0]["load"])] == [[1, 2, 3], [2.5, 4.5, 7.5]]
    assert (len(seqs), seqs[0]["place"], seqs.order_by, seqs.sequence_id) == (1, "north", "hour", None)
    with pytest.raises(DataError, match="column 'load' differs within the series"):
        read(path, order_by="hour", per_sequence=["load"])
