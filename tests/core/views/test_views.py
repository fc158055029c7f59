"""Each view by example: laziness, names, fields, places, and input that it refuses in words."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import drystone as ds
from drystone import DataError, Loader, Packed, Sequences
from drystone.core.views import ViewNote

HOUR = np.datetime64("2020-01-01T00:00", "s")


def series(*lengths: int) -> Sequences:
    bounds = np.cumsum([0, *lengths])
    values = np.arange(float(bounds[-1]))
    hours = np.concatenate([HOUR + 3600 * np.arange(length) for length in lengths])
    words = [f"w{k}" for k in range(bounds[-1])]
    names = [f"s{k}" for k in range(len(lengths))]
    made = Sequences.from_ragged(bounds, {"x": values, "hour": hours, "word": words}, {"name": names})
    return replace(made, order_by="hour")


def test_views_copy_no_values() -> None:
    seqs = series(20, 9)
    values = seqs.field("x").values
    train, test = seqs.split_by_time(fractions=(0.5, 0.5), context="before")
    for view in (seqs.windows(4, 1), seqs.cut(3, 2), seqs.truncate(5), seqs.ahead("x", [1]), seqs.join(), train, test):
        assert view.step_columns["x"] is seqs.step_columns["x"]
        assert np.shares_memory(view[0]["x"], values)
    assert np.shares_memory(seqs.windows(4, 1).cut(2).truncate(1).ahead("x", [1])[0]["x"], values)


def test_sequences_without_views_hold_no_bounds() -> None:
    seqs = series(20, 9)
    assert seqs.bounds is None
    assert seqs.windows(1).bounds is not None
    assert seqs.truncate(30).bounds is None
    assert seqs.select([1]).notes == ()


def test_a_million_windows_are_made_and_batched() -> None:
    windows = series(10**6).ahead("x", range(1, 25)).windows(168, stride=1, horizon=24)
    assert len(windows) == 10**6 - 168 - 24 + 1
    batch = next(iter(Loader(windows, Packed(rows=4, steps=336), fields=["x", "x_ahead"])))
    assert batch["x_ahead"].shape == (4, 336, 24)
    assert batch.scored.sum() == 8
    np.testing.assert_array_equal(batch["x_ahead"][batch.scored], batch["x"][batch.scored][:, None] + np.arange(1, 25))


def test_ahead_holds_values_of_any_shape_and_type() -> None:
    seqs = (
        Sequences.from_arrays(
            {"pair": [np.arange(6).reshape(3, 2), np.arange(2).reshape(1, 2)], "when": [HOUR + np.arange(3), [HOUR]]}
        )
        .ahead("pair", [2, 1], name="next")
        .ahead("when", [1])
    )
    assert seqs.field_names == ("pair", "when", "next", "when_ahead")
    assert seqs[0]["next"].tolist() == [[[4, 5], [2, 3]], [[0, 0], [4, 5]], [[0, 0], [0, 0]]]
    assert seqs.field("next").item_shape == (2, 2)
    assert seqs.field("next").describe() == "int64[2×2]"
    assert seqs.field("next")[-1].shape == (1, 2, 2)
    assert seqs[0]["when_ahead"][0, 0] == HOUR + 1
    assert seqs[1]["when_ahead"][0, 0] == np.datetime64(0, "s")
    assert seqs.reach == (1, 2)
    assert pa.table(seqs)["next"].to_pylist()[0][0] == [[4, 5], [2, 3]]


def test_names_and_figures_of_views_are_printed() -> None:
    view = series(20, 2).ahead("x", range(1, 4)).windows(6, stride=3, horizon=3)
    assert repr(view) == (
        "Sequences(4 sequences of 6 steps; per step: x float64, hour datetime64[s], word text, x_ahead float64[3]; "
        "per sequence: name text; ahead('x', range(1, 4)): steps with fewer than 3 after them are not scored; "
        "windows(steps=6, stride=3, horizon=3): 1 sequence left out, 7 steps left out, 9 steps repeated "
        "(1 sequence without a whole window with the 3 steps after it))"
    )
    assert str(ViewNote(view="join()")) == "join()"
    assert view.notes[0].left_out_steps == 0


def test_what_was_read_from_a_file_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "pumps.csv"
    path.write_text("pump,x\n" + "".join(f"{pump},{step}\n" for step in range(6) for pump in "ab"))
    seqs = ds.read(path, sequence_id="pump")
    windows = seqs.windows(2)
    assert windows.place(4, 1) == (
        "sequence 4 (pump 'b', from step 2 of source sequence 1), step 1, line 9 of pumps.csv"
    )
    assert "line 9 of pumps.csv" in windows.join(by="pump").place(1, 3)
    swapped = windows.select([4, 3, 0]).join()
    assert "line 9 of pumps.csv" in swapped.place(0, 1)
    assert swapped.place(0, 4).endswith("line 2 of pumps.csv")


def test_join_copies_values_only_where_they_lie_apart() -> None:
    seqs = series(2, 3, 1)
    assert np.shares_memory(seqs.select([1, 2]).join().field("x").values, seqs.field("x").values)
    apart = seqs.select([2, 0]).join()
    assert apart[0]["x"].tolist() == [5.0, 0.0, 1.0]
    assert apart[0]["word"].tolist() == ["w5", "w0", "w1"]
    assert apart.ahead("x", [1])[0]["x_ahead"].tolist() == [[0.0], [1.0], [0.0]]


def test_join_keeps_the_fields_that_agree_and_names_the_others() -> None:
    seqs = Sequences.from_arrays(
        {"x": [[1], [2], [3]]},
        {"pump": ["b", None, "b"], "site": [np.nan, 1.0, np.nan], "label": [1, 2, 3], "v": [[1, 2], [3, 4], [1, 2]]},
    )
    joined = replace(seqs, sequence_id="label").join(by="pump")
    assert [found["x"].tolist() for found in joined] == [[1, 3], [2]]
    assert joined.field_names == ("x", "pump", "site", "v")
    assert joined.field("pump").values.tolist() == ["b", None]
    assert joined.field("v").values.tolist() == [[1, 2], [3, 4]]
    assert joined.sequence_id is None
    assert joined.notes[-1].reason == "fields left out, as their values differ: label"


def test_labels_of_windows_are_their_own() -> None:
    seqs = Sequences.from_arrays({"x": [[1, 2, 3, 4]], "label": [["a", "a", "b", "b"]]}, {"n": [7]})
    windows = seqs.windows(2).collapsed("label")
    assert windows.field("label").values.tolist() == ["a", "b"]
    assert windows.field("n").values.tolist() == [7, 7]
    assert windows.source.tolist() == [0, 0]
    assert "from step 2 of source sequence 0" in windows.place(1)
    assert windows.select([1]).source.tolist() == [0]
    assert windows.cut(2).field("label").values.tolist() == ["a", "a", "b", "b"]
    with pytest.raises(DataError, match="'label' holds the values of 'later'"):
        Sequences.from_arrays({"label": [[1, 1]]}).ahead("label", [1], name="later").collapsed("label")


def test_an_empty_selection_has_empty_views() -> None:
    none = series(3).select([])
    for view in (none.windows(2), none.cut(2), none.truncate(1), none.ahead("x", [1])):
        assert len(view) == 0
        assert view.notes[-1].left_out_steps == 0
    assert none.ahead("x", [1]).field("x_ahead").values.shape == (0, 1)
    with pytest.raises(DataError, match="no sequence to join"):
        none.join()


@pytest.mark.parametrize(
    "at", [["2020-01-01T05:00"], [datetime(2020, 1, 1, 5)], [HOUR + 5 * 3600], np.array([HOUR + 5 * 3600])]
)
def test_times_come_in_any_form(at: Any) -> None:
    assert [part.lengths.tolist() for part in series(8, 6).split_by_time(at=at)] == [[5, 5], [3, 1]]


def test_large_whole_times_are_compared_exactly() -> None:
    late = 2**60
    seqs = Sequences.from_arrays({"t": [np.arange(late, late + 4)]})
    assert [len(part[0]["t"]) for part in seqs.split_by_time(at=[late + 1], field="t")] == [1, 3]


def test_fractions_with_times_part_all_sequences_at_one_time() -> None:
    seqs = Sequences.from_arrays({"t": [[0, 1, 2, 3, 4, 5], [4, 5, 6, 7]]})
    train, test = seqs.split_by_time(fractions=(0.5, 0.5), field="t")
    assert train.field("t").values.tolist() == [0, 1, 2, 3]
    assert test.field("t").values.tolist() == [4, 5, 4, 5, 6, 7]
    train, test = seqs.split_by_time(fractions=(0.5, 0.5))
    assert train.lengths.tolist() == [3, 2]


def test_tables_of_views_are_read_with_what_is_scored() -> None:
    view = series(9).cut(2, lead=2)
    table = pa.table(view)
    assert table.column_names[-2:] == ["drystone.scored_from", "drystone.scored_to"]
    found = ds.read(table)
    assert found.scored_steps()[0].tolist() == [0, 2]
    assert found.field_names == view.field_names
    wrong = table.set_column(table.num_columns - 1, "drystone.scored_to", pa.array([9, 1]))
    with pytest.raises(DataError, match="row 0: steps 0 to 9 are scored, of 5 steps"):
        ds.read(wrong)
    assert "drystone.scored_to" not in pa.table(series(9).cut(2)).column_names


def test_fingerprints_tell_what_is_scored() -> None:
    seqs = series(9)
    assert seqs.fingerprint() == seqs.cut(1).fingerprint() == seqs.truncate(9).fingerprint()
    assert seqs.windows(3, 1, 1).fingerprint() != seqs.windows(3, 1).truncate(3).select(np.arange(6)).fingerprint()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: s.windows(0), "windows: steps must be a whole number of at least 1; got 0"),
        (lambda s: s.windows(2**63), "windows: steps must be at most"),
        (lambda s: s.cut(2, lead=2**63), "cut: lead must be at most"),
        (lambda s: s.split_by_time(fractions=(None, 1)), r"fractions\[0\] is None"),
        (lambda s: s.windows(2.0), "steps must be a whole number .* got 2.0"),
        (lambda s: s.windows(True), "got True"),
        (lambda s: s.windows(2, 0), "stride must be a whole number of at least 1; got 0"),
        (lambda s: s.windows(2, horizon=-1), "horizon must be a whole number of at least 0; got -1"),
        (lambda s: s.cut(0), "cut: parts must be .* at least 1; got 0"),
        (lambda s: s.cut(2, lead=-1), "cut: lead must be .* at least 0; got -1"),
        (lambda s: s.truncate(0), "truncate: max_steps must be .* got 0"),
        (lambda s: s.truncate(1, keep="middle"), 'keep must be "first" or "last"; got \'middle\''),
        (lambda s: s.join(by="y"), "no field 'y'"),
        (lambda s: s.join(by="x"), "join: field 'x' has no single value a sequence"),
        (lambda s: s.cut(2, lead=1).join(), "first steps of sequence 1 .* are not scored.*Join first"),
        (lambda s: s.ahead("z", [1]), "no field 'z'"),
        (lambda s: s.ahead("name", [1]), "'name' has a value a sequence"),
        (lambda s: s.ahead("word", [1]), "'word' holds text"),
        (lambda s: s.ahead("x", [1]).ahead("x_ahead", [1]), "looks ahead itself; look ahead in 'x'"),
        (lambda s: s.ahead("x", [1]).ahead("x", [2]), "a field 'x_ahead' already; pass another name="),
        (lambda s: s.ahead("x", []), "offsets is empty"),
        (lambda s: s.ahead("x", 3), "must be a list of whole numbers.*got 3"),
        (lambda s: s.ahead("x", [1, 0]), r"offsets\[1\] must be a whole number of at least 1; got 0"),
        (lambda s: s.ahead("x", [-1]), r"offsets\[0\] .* got -1"),
        (lambda s: s.split_by_time(), "give either at= or fractions="),
        (lambda s: s.split_by_time(at=[HOUR], fractions=(1.0,)), "give either"),
        (lambda s: s.split_by_time(fractions=(0.5, 0.4)), "add up to 0.9; expected 1"),
        (lambda s: s.split_by_time(fractions=(1.5, -0.5)), r"fractions\[0\] is 1.5"),
        (lambda s: s.split_by_time(fractions=(1.0, 0)), r"fractions\[1\] is 0; expected a number above 0"),
        (lambda s: s.split_by_time(fractions=0.5), "must be a list .* got 0.5"),
        (lambda s: s.split_by_time(fractions=(0.0001, 0.9999)), "part 1 of 2: it holds no step"),
        (lambda s: s.split_by_time(at=["2021-01-01"]), "part 2 of 2: it holds no step"),
        (lambda s: s.split_by_time(at="2021-01-01"), "at must be a list"),
        (lambda s: s.split_by_time(at=[]), "at must be a list"),
        (lambda s: s.split_by_time(at=["soon"]), "does not fit field 'hour'"),
        (lambda s: s.split_by_time(at=[3]), "does not fit field 'hour', which holds timestamps"),
        (lambda s: s.split_by_time(at=["2021"], field="x"), "does not fit field 'x', which holds numbers"),
        (lambda s: s.split_by_time(at=[float("nan")], field="x"), "missing time"),
        (lambda s: s.split_by_time(at=[3, 3], field="x"), r"at\[1\] is 3, after 3; times must rise"),
        (lambda s: s.split_by_time(at=[1], field="word"), "field 'word' has text"),
        (lambda s: s.split_by_time(at=[1], field="name"), "field 'name' has text"),
        (lambda s: s.ahead("x", [1]).split_by_time(at=[1], field="x_ahead"), "no single value a step"),
        (lambda s: s.split_by_time(fractions=(0.5, 0.5), context="after"), "context must be None.* got 'after'"),
        (lambda s: s.split_by_time(fractions=(0.5, 0.5), context=0), "context must be .* at least 1; got 0"),
        (lambda s: replace(s, order_by=None).split_by_time(at=[1]), "needs a field of times"),
        (
            lambda s: replace(s, order_by=None).windows(2, 1).split_by_time(fractions=(0.5, 0.5)),
            "sequences 0 and 1 share steps.*Split first",
        ),
    ],
)
def test_bad_input_is_named(call: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        call(series(6, 4))


def test_times_must_be_there_and_rise() -> None:
    wrong = Sequences.from_arrays({"t": [[5.0, 6.0], [1.0, 3.0, 2.0]]})
    with pytest.raises(DataError, match=r"'t' falls, from 3.0 to 2.0, in sequence 1, step 2; times must rise"):
        wrong.split_by_time(at=[2], field="t")
    missing = Sequences.from_arrays({"t": [[1.0, 2.0], [np.nan]]})
    with pytest.raises(DataError, match="'t' is missing, in sequence 1, step 0"):
        missing.split_by_time(at=[2], field="t")
    assert len(wrong[:1].split_by_time(at=[6], field="t")) == 2
