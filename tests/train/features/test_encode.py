"""What was read, as numbers: against plain loops."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.train.features.categories import codes_of
from drystone.train.features.choose import choose_features
from drystone.train.features.encode import encoded, filled_forward
from drystone.train.features.feature import Features
from drystone.train.features.wishes import Wishes

NAN = float("nan")
SEQS = replace(
    ds.Sequences.from_arrays(
        {
            "x": [[1.0, NAN, 3.0], [NAN, 5.0]],
            "word": [["a", "b", ""], ["c", "a"]],
            "when": [
                np.array(["2024-01-01T00:00", "2024-01-01T06:00", "2024-01-02T12:00"], "M8[s]"),
                np.array(["2024-12-31T18:30", "2025-01-01T00:00"], "M8[s]"),
            ],
        },
        {"store": [7, 9], "name": ["p", "q"], "way": ["up", "down"]},
    ),
    order_by="when",
)


def features_of(train: ds.Sequences = SEQS, **wishes: Any) -> Features:
    return choose_features(SEQS, Wishes(**wishes), train, "name")


def values(name: str, seqs: ds.Sequences = SEQS, **wishes: Any) -> list[Any]:
    features = features_of(**wishes)
    return encoded(seqs, features).field(features.named(name).field).values.tolist()


def last_known(sequence: list[Any]) -> list[Any]:
    found: list[Any] = []
    for value in sequence:
        misses = value in (None, "") or value != value
        found.append(found[-1] if misses and found else value)
    return found


@given(st.lists(st.lists(st.sampled_from([1.0, 2.0, NAN]), min_size=1, max_size=5), min_size=1, max_size=5))
def test_the_last_value_before_fills_gaps_within_a_sequence(sequences: list[list[float]]) -> None:
    starts = np.cumsum([0, *map(len, sequences)])[:-1]
    found = filled_forward(np.concatenate(sequences), starts)
    np.testing.assert_array_equal(found, np.concatenate([last_known(each) for each in sequences]))


@given(st.lists(st.lists(st.sampled_from(["a", "b", "", None]), min_size=1, max_size=5), min_size=1, max_size=5))
def test_text_fills_gaps_too(sequences: list[list[str | None]]) -> None:
    starts = np.cumsum([0, *map(len, sequences)])[:-1]
    given_values = np.array([value for each in sequences for value in each], dtype=object)
    expected = [value for each in sequences for value in last_known(each)]
    assert [value or "" for value in filled_forward(given_values, starts)] == [value or "" for value in expected]


def test_vectors_are_filled_number_by_number() -> None:
    found = filled_forward(np.array([[1.0, NAN], [NAN, 2.0], [NAN, NAN]]), np.array([0]))
    np.testing.assert_array_equal(found, [[1.0, NAN], [1.0, 2.0], [1.0, 2.0]])


def test_numbers_are_as_they_were_read_where_nothing_is_filled_in() -> None:
    features = features_of(names=("x",), missing="indicator")
    assert features.batch_fields == ("x",)
    assert encoded(SEQS, features) is SEQS


def test_what_misses_becomes_the_last_value_of_the_same_sequence() -> None:
    np.testing.assert_array_equal(values("x", names=("x",), missing="ffill"), [1.0, 1.0, 3.0, NAN, 5.0])


def test_a_view_fills_in_from_what_came_before_it() -> None:
    features = features_of(names=("x",), missing="ffill")
    later = SEQS.windows(2, 1)  # [1, NaN], [NaN, 3], [NaN, 5]
    found = encoded(later, features).field(features.fields[0].field)
    np.testing.assert_array_equal(np.concatenate([found[at] for at in range(3)]), [1.0, 1.0, 1.0, 3.0, NAN, 5.0])


def test_text_becomes_the_number_of_its_category() -> None:
    assert values("word", names=("word",), missing="ffill") == [1, 2, 2, 3, 1]
    assert values("word", names=("word",), missing="indicator") == [2, 3, 1, 4, 2]


def test_whole_numbers_are_categories_where_that_is_said() -> None:
    assert values("store", names=("store",), categories=("store",)) == [1, 1, 1, 2, 2]
    assert values("store", names=("store",)) == [7, 7, 7, 9, 9]


def test_whole_numbers_of_which_some_miss_are_categories_too() -> None:
    seqs = ds.Sequences.from_arrays({"code": [[3.0, NAN, 5.0], [NAN, 3.0]]}, {"name": ["p", "q"]})
    for missing, expected in (("ffill", [1, 1, 2, 0, 1]), ("indicator", [1, 0, 2, 0, 1])):
        wishes = Wishes(names=("code",), categories=("code",), missing=missing)  # pyright: ignore[reportArgumentType]
        features = choose_features(seqs, wishes, seqs, "name")
        assert features.fields[0].categories == (3, 5)
        assert encoded(seqs, features).field("code as numbers").values.tolist() == expected
    others = ds.Sequences.from_arrays({"code": [[3.5, 5.0]]})
    with pytest.raises(ds.DataError, match="field 'code' is float64; categories are text, whole numbers or bools"):
        choose_features(others, Wishes(names=("code",), categories=("code",)), others, "name")
    with pytest.warns(UserWarning, match=r"1 value of 'code' was not seen in training, the first 3\.5"):
        assert encoded(others, features).field("code as numbers").values.tolist() == [0, 2]


def test_a_value_a_sequence_is_repeated_in_views_too() -> None:
    features = features_of(names=("way",))
    assert features.fields[0].categories == ("down", "up")
    found = encoded(SEQS.windows(2, 1), features)
    assert [found.field(features.fields[0].field)[at].tolist() for at in range(3)] == [[2, 2], [2, 2], [1, 1]]


def test_the_calendar_knows_fractions() -> None:
    wishes: dict[str, Any] = {"names": (), "calendar": ("hour", "weekday", "yearday", "minute")}
    assert values("hour of when", **wishes) == [0, 6, 12, 18.5, 0]
    assert values("weekday of when", **wishes) == pytest.approx([0, 0.25, 1.5, 1 + 18.5 / 24, 2])
    assert values("yearday of when", **wishes) == pytest.approx([0, 0.25, 1.5, 365 + 18.5 / 24, 0])
    assert values("minute of when", **wishes) == [0, 0, 0, 30, 0]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_calendar_knows_all_units_of_time_and_times_before_1970(unit: str) -> None:
    when = np.array(["1969-12-31T23:30"], f"M8[{unit}]")
    seqs = replace(ds.Sequences.from_arrays({"when": [when]}, {"name": ["a"]}), order_by="when")
    features = choose_features(seqs, Wishes(names=(), calendar=("hour", "weekday")), seqs, "name")
    found = encoded(seqs, features)
    assert found.field("hour of when as numbers").values.tolist() == [23.5]
    assert found.field("weekday of when as numbers").values.tolist() == pytest.approx([2 + 23.5 / 24])


def test_values_of_the_next_steps_are_known_ahead() -> None:
    wishes: dict[str, Any] = {"names": (), "calendar": ("hour",), "known_ahead": ("hour",), "horizon": 2}
    assert features_of(**wishes).columns == ("hour of when", "hour of when ahead[0]", "hour of when ahead[1]")
    assert values("hour of when ahead", **wishes)[:1] == [[6, 12]]


def test_what_training_did_not_see_is_counted_and_unknown() -> None:
    features = features_of(SEQS[:1], names=("word",), missing="ffill")
    with pytest.warns(
        UserWarning, match=r"^1 value of 'word' was not seen in training, the first 'c' in sequence 1, s"
    ):
        found = encoded(SEQS, features)
    assert found.field("word as numbers").values.tolist() == [1, 2, 2, 0, 1]


def test_usual_features_are_numbers_and_text_of_few_values_that_change() -> None:
    assert features_of(missing="ffill").names == ("x", "word")
    many = ds.Sequences.from_arrays({"x": [range(60)], "id": [[f"step {n}" for n in range(60)]]}, {"name": ["a"]})
    assert choose_features(many, Wishes(), many, "name").names == ("x",)


def test_statistics_leave_out_what_misses() -> None:
    features = features_of(names=("x", "store"), categories=("store",), missing="indicator")
    mean, spread = features.statistics(encoded(SEQS, features))
    assert (mean[0], spread[0]) == pytest.approx((3.0, np.std([1, 3, 5])))
    assert (mean[1], spread[1]) == (0, 1)
    assert Features.from_plain(features.to_plain()) == features


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (
            {"names": ("x",)},
            r"column 'x' is nan in sequence 0, step 1; features must be .* missing='ffill' \(--missing",
        ),
        ({"names": ("word",)}, r"field 'word' is missing in sequence 0, step 2\. Fill it in"),
        ({"names": ("when",)}, r"field 'when' holds timestamps, .* calendar=\('hour', 'weekday'\)"),
        ({"names": ("x",), "categories": ("store",)}, "categories names 'store', which is no feature; those are: x"),
        ({"names": ("store",), "calendar": ("century",)}, "calendar names 'century'; the parts are: minute, hour"),
        ({"names": ("store", "way"), "known_ahead": ("way",), "horizon": 1}, "known_ahead names 'way', which is no"),
        (
            {"names": ("x",), "missing": "ffill", "known_ahead": ("hour",)},
            r"no feature .* those are: x\. calendar=\('hour',\) \(--calendar hour\) makes",
        ),
        (
            {"names": ("x", "word"), "missing": "ffill", "known_ahead": ("wrd",)},
            r"those are: x, word\. Did you mean 'word'",
        ),
        ({"names": ("x",), "known_ahead": ("name",)}, "known_ahead names 'name', the target, .* leave it out"),
        ({"names": ("name",)}, "field 'name' is the target"),
    ],
)
def test_bad_wishes_are_named(wishes: dict[str, Any], words: str) -> None:
    with pytest.raises(ds.DrystoneError, match=words):
        features_of(**wishes)


def test_a_calendar_needs_timestamps() -> None:
    wishes = Wishes(names=("x",), calendar=("hour",), missing="ffill")
    with pytest.raises(ds.ConfigError, match=r"nothing orders the steps: give order_by"):
        choose_features(replace(SEQS, order_by=None), wishes, SEQS, "name")
    with pytest.raises(ds.DataError, match="field 'x' is float64 a step; a calendar needs timestamps"):
        choose_features(replace(SEQS, order_by="x"), wishes, SEQS, "name")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"store": ["a", "b"]}, "field 'store' is text; the model knows its categories as whole numbers"),
        ({}, "there is no field 'store', an input of the model; the fields are: x"),
    ],
)
def test_fields_that_differ_from_training_are_named(fields: dict[str, Any], words: str) -> None:
    features = features_of(names=("store",), categories=("store",))
    other = ds.Sequences.from_arrays({"x": [[1.0], [2.0]]}, fields)
    with pytest.raises(ds.DataError, match=words):
        encoded(other, features)


def test_a_value_a_step_where_training_had_one_a_sequence_is_named() -> None:
    features = features_of(names=("store",))
    other = ds.Sequences.from_arrays({"store": [[1.0], [2.0]]})
    with pytest.raises(ds.DataError, match="has a value a step; the model was trained on one with a value a sequence"):
        encoded(other, features)


@pytest.mark.parametrize("unseen", [[2**64 - 1], [2**63]])
def test_whole_numbers_too_large_for_the_type_of_the_categories_are_unknown(unseen: list[int]) -> None:
    assert codes_of(np.array(unseen, dtype=np.uint64), (-1, -(2**63))).tolist() == [0]


def test_categories_may_be_the_largest_whole_numbers() -> None:
    ids = [1, 2**63 + 5, 2**64 - 1]
    seqs = ds.Sequences.from_arrays({"x": [np.array(ids, dtype=np.uint64)]}, {"name": ["a"]})
    features = choose_features(seqs, Wishes(names=("x",), categories=("x",)), seqs, "name")
    assert encoded(seqs, features).field("x as numbers").values.tolist() == [1, 2, 3]
    assert codes_of(np.array([-1, 1]), tuple(ids)).tolist() == [0, 1]


def test_a_field_may_not_be_called_like_an_input_made_of_another() -> None:
    columns = {**SEQS.step_columns, "hour of when": SEQS.step_columns["x"]}
    seqs = replace(SEQS, step_columns=columns)
    wishes = Wishes(names=("hour of when",), calendar=("hour",), missing="ffill")
    with pytest.raises(ds.DataError, match="two features are called 'hour of when'; rename the field of that name"):
        choose_features(seqs, wishes, seqs, "name")
