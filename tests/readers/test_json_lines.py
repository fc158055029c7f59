"""JSON lines."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone.core.errors import DataError
from drystone.readers import read

NUMBERS = st.one_of(st.integers(-9, 9), st.floats(allow_nan=False, allow_infinity=False), st.none())


@given(st.lists(st.lists(NUMBERS, min_size=1, max_size=5), min_size=1, max_size=8))
def test_lists_come_back(tmp_path_factory, lists):
    path = tmp_path_factory.mktemp("json") / "s.jsonl"
    path.write_text("".join(json.dumps({"x": values}) + "\n" for values in lists))
    seqs = read(path)
    assert len(seqs) == len(lists)
    for index, values in enumerate(lists):
        expected = [np.nan if value is None else value for value in values]
        np.testing.assert_array_equal(seqs[index]["x"].astype(float), expected)


def test_integers_may_become_floats_after_the_first_block(tmp_path):
    path = tmp_path / "s.ndjson"
    path.write_text('{"x": [1, 2, 3]}\n' * 100_000 + '{"x": [0.5, NaN]}\n')
    np.testing.assert_array_equal(read(path)[100_000]["x"], [0.5, np.nan])


def test_a_line_may_be_longer_than_a_block(tmp_path):
    path = tmp_path / "s.jsonl"
    path.write_text(json.dumps({"x": list(range(400_000))}) + "\n" + '{"x": [0.5]}')
    assert list(read(path).lengths) == [400_000, 1]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"x": [1, 2', "line 3 of s.jsonl is not JSON"),
        ("[1, 2]", "line 3 of s.jsonl holds a list of a number; expected an object"),
        ('{"x": ["a"]}', "line 3 of s.jsonl holds a list of a text in 'x', and line 1 of s.jsonl holds a list of a nu"),
        ('{"x": 5}', "line 3 of s.jsonl holds a number in 'x'"),
        ('{"x": [1, "a"]}', "line 3 of s.jsonl holds a list of a number and a text in 'x'"),
        ('{"x": [1], "x": [2]}', "specified twice"),
        ("[" * 100_000, "line 3 of s.jsonl"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, words):
    path = tmp_path / "s.jsonl"
    path.write_text('{"x": [1]}\n\n' + line + "\n")
    with pytest.raises(DataError, match=words):
        read(path)


def test_a_null_says_nothing_about_the_type(tmp_path):
    path = tmp_path / "s.jsonl"
    path.write_text('{"x": [null], "y": null}\n{"x": [1], "y": "a"}\n{"x": ["a"], "y": null}\n')
    with pytest.raises(DataError, match=r"line 3 of s.jsonl holds a list of a text in 'x', and line 2"):
        read(path)


def test_one_step_a_line(tmp_path):
    path = tmp_path / "s.jsonl"
    path.write_text('\ufeff{"id": "b", "v": 1}\n{"id": "a", "v": 2}\n{"id": "b"}\n', encoding="utf-8")
    seqs = read(path, sequence_id="id")
    np.testing.assert_array_equal(seqs[0]["v"], [1.0, np.nan])
    assert seqs.origin.where(1, 0) == "line 3 of s.jsonl"
