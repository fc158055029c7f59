"""Steps of one sequence at the same time."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone import Sequences
from drystone.core.errors import DataError
from drystone.readers import read

NUMBER = st.one_of(st.none(), st.floats(-1e3, 1e3), st.sampled_from([0.1, math.inf]))
ROWS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 4), NUMBER, st.integers(-9, 9), st.sampled_from("xyz")),
    min_size=1,
    max_size=25,
)


def table_of(rows: Any) -> pa.Table:
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
    ids, times, numbers, counts, words = columns
    pairs = pa.FixedSizeListArray.from_arrays(pa.array([v for n in counts for v in (n, -n)], pa.float32()), 2)
    data = {"id": ids, "t": times, "v": pa.array(numbers, pa.float64()), "n": counts, "w": words, "pair": pairs}
    return pa.table({**data, "flag": [word == "x" for word in words]})


def runs_of(rows: Any) -> dict[str, dict[int, list[Any]]]:
    """Rows by id and by time, both in order, with a plain loop."""
    found: dict[str, dict[int, list[Any]]] = {}
    for row in rows:
        found.setdefault(row[0], {}).setdefault(row[1], []).append(row)
    return {name: dict(sorted(times.items())) for name, times in found.items()}


def mean(values: list[Any]) -> float:
    present = [value for value in values if value is not None]
    return sum(present) / len(present) if present else math.nan


def as_lists(seqs: Sequences) -> pa.Table:
    """The same data as a table of one sequence a row."""
    return seqs.to_arrow().replace_schema_metadata(None)


@given(ROWS)
def test_the_first_of_a_time_is_kept(rows):
    seqs = read(table_of(rows), sequence_id="id", order_by="t", duplicates="first")
    for index, times in enumerate(runs_of(rows).values()):
        expected = [same[0] for same in times.values()]
        got = seqs[index]
        assert got["t"].tolist() == list(times)
        assert got["w"].tolist() == [row[4] for row in expected]
        assert (got["n"].tolist(), got["n"].dtype) == ([row[3] for row in expected], np.int64)
        np.testing.assert_array_equal(got["v"], [math.nan if row[2] is None else row[2] for row in expected])


@given(ROWS)
def test_the_mean_of_numbers_is_that_of_a_plain_loop(rows):
    seqs = read(table_of(rows), sequence_id="id", order_by="t", duplicates="mean")
    for index, times in enumerate(runs_of(rows).values()):
        got = seqs[index]
        assert (got["t"].tolist(), got["t"].dtype) == (list(times), np.int64)
        assert got["w"].tolist() == [same[0][4] for same in times.values()]
        assert got["flag"].tolist() == [same[0][4] == "x" for same in times.values()]
        np.testing.assert_allclose(got["v"], [mean([row[2] for row in same]) for same in times.values()], atol=1e-9)
        np.testing.assert_allclose(got["n"], [mean([row[3] for row in same]) for same in times.values()])
        np.testing.assert_allclose(got["pair"][:, 1], -got["n"], rtol=1e-6)
    assert (seqs.field("n").describe(), seqs.field("pair").describe()) == ("float64", "float32[2]")


@pytest.mark.filterwarnings("ignore:'t' repeats within")
@pytest.mark.parametrize("rule", ["first", "mean"])
@given(ROWS)
def test_tables_of_lists_give_the_same(rule, rows):
    table = table_of(rows)
    from_lists = read(as_lists(read(table, sequence_id="id", order_by="t")), order_by="t", duplicates=rule)
    from_steps = read(table, sequence_id="id", order_by="t", duplicates=rule)
    assert from_lists.fingerprint() == from_steps.fingerprint()


@given(st.sampled_from([0.1, 1e-300, 1.7e308, 3.0]), st.integers(2, 9))
def test_the_mean_of_equal_values_is_that_value(value, count):
    seqs = read(pa.table({"t": [1] * count, "v": [value] * count}), order_by="t", duplicates="mean")
    assert seqs[0]["v"].tolist() == [value] or value > 1e308


@given(ROWS)
def test_every_step_leads_back_to_its_line(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    lines = ["id,t,v", *(f"{row[0]},{row[1]},{number}" for number, row in enumerate(rows))]
    path.write_text("\n".join(lines))
    seqs = read(path, sequence_id="id", order_by="t", duplicates="first")
    for sequence, length in enumerate(seqs.lengths):
        for step in range(length):
            line = int(seqs.place(sequence, step).split("line ")[1].split()[0])
            assert lines[line - 1] == f"{seqs[sequence]['id']},{seqs[sequence]['t'][step]},{seqs[sequence]['v'][step]}"


def csv_of(folder: Any) -> Any:
    path = folder / "p.csv"
    path.write_text("id,t,v\na,1,1\nb,1,2\na,1,3\nb,2,4\na,2,5\n")
    return path


def test_by_default_all_are_kept_with_a_warning(tmp_path):
    words = r"'t' repeats within a sequence at 1 of 5 steps, first 1 in sequence 0 \(id 'a'\), step 0, line 2 of p.csv and line 4"
    with pytest.warns(UserWarning, match=words) as found:
        seqs = read(csv_of(tmp_path), sequence_id="id", order_by="t")
    assert "--duplicates" in str(found[0].message)
    assert "--sequence-id" not in str(found[0].message)
    assert seqs[0]["v"].tolist() == [1, 3, 5]


def test_series_that_nothing_tells_apart_are_told():
    with pytest.warns(UserWarning, match=r"at 2 of 4 steps.*read as one series.*--sequence-id"):
        seqs = read(pa.table({"t": [1, 2, 1, 2], "x": [1.0, 2.0, 3.0, 4.0]}), order_by="t")
    assert seqs[0]["x"].tolist() == [1.0, 3.0, 2.0, 4.0]


def test_error_names_both_rows_and_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"line 2 of p.csv and line 4 of p.csv\. Leave out.*--duplicates"):
        read(csv_of(tmp_path), sequence_id="id", order_by="t", duplicates="error")
    fine = read(pa.table({"id": ["a", "b"], "t": [1, 1]}), sequence_id="id", order_by="t", duplicates="error")
    assert fine.remarks == ()


def test_what_became_one_is_told(tmp_path):
    seqs = read(csv_of(tmp_path), sequence_id="id", order_by="t", duplicates="mean")
    (remark,) = seqs.remarks
    assert remark.startswith("'t' repeats within a sequence at 1 of 5 steps")
    assert remark.endswith("the mean of their numbers is taken")
    assert remark in repr(seqs)
    assert seqs[:1].remarks == seqs.truncate(1).remarks == ()


def test_in_tables_of_lists_the_sequence_is_named():
    table = pa.table({"t": [[1, 2], [2, 3, 3]], "v": [[1.0, 2.0], [3.0, 4.0, 6.0]]})
    with pytest.raises(DataError, match="first 3 in sequence 1, step 1 and step 2"):
        read(table, order_by="t", duplicates="error")
    with pytest.warns(UserWarning, match="in sequence 1, step 1 and step 2") as found:
        read(table, order_by="t")
    assert "--sequence-id" not in str(found[0].message)
    assert read(table, order_by="t", duplicates="mean")[1]["v"].tolist() == [3.0, 5.0]


def test_padding_is_no_repeated_time(tmp_path):
    times = np.array([[0, 1, 0, 0], [0, 0, 3, 0]])
    np.savez(tmp_path / "p.npz", t=times, lengths=[2, 3])
    seqs = read(tmp_path / "p.npz", order_by="t", duplicates="first")
    assert [step["t"].tolist() for step in seqs] == [[0, 1], [0, 3]]
    assert seqs.remarks[0].startswith("'t' repeats within a sequence at 1 of 5 steps")


def test_which_steps_are_scored_is_kept(tmp_path):
    lists: Mapping[str, Any] = {"t": [[1, 1, 2, 3, 3, 4]] * 2, "drystone.scored_from": [2, 0]}
    pq.write_table(pa.table({**lists, "drystone.scored_to": [6, 3]}), tmp_path / "s.parquet")
    seqs = read(tmp_path / "s.parquet", order_by="t", duplicates="first")
    assert [steps.tolist() for steps in seqs.scored_steps()] == [[1, 0], [4, 2]]


def test_saved_ties_stay_silent_until_asked(tmp_path):
    with pytest.warns(UserWarning, match="'t' repeats within"):
        read(pa.table({"t": [1, 1], "v": [1, 2]}), order_by="t").save(tmp_path / "s.arrow")
    assert read(tmp_path / "s.arrow").lengths.tolist() == [2]
    assert read(tmp_path / "s.arrow", duplicates="first").lengths.tolist() == [1]


def test_times_as_text_and_days_repeat_too():
    for times in (["a", "b", "b"], np.array(["2024-01-01", "2024-01-02", "2024-01-02"], "M8[D]")):
        seqs = read(pa.table({"t": times, "v": [1, 2, 3]}), order_by="t", duplicates="first")
        assert seqs[0]["v"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"order_by": "t", "duplicates": "last"}, """duplicates must be "first", "mean" or "error"; got 'last'"""),
        ({"sequence_id": "t", "duplicates": "first"}, 'duplicates="first" .* needs order_by='),
    ],
)
def test_what_cannot_be_asked_is_refused(options, words):
    with pytest.raises(DataError, match=words):
        read(pa.table({"t": [1], "v": [1.0]}), **options)
