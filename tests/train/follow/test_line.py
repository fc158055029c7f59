"""Lines of input: what they say, and what is wrong with them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone.train.features.feature import Feature, Features
from drystone.train.follow.line import MAX_BYTES, LineError, read_line

FEATURES = Features((Feature(name="load"), Feature(name="x", shape=(2,))))
GOOD = {"stream": "a", "load": 1.5, "x": [2, 3]}


def line(**changed: object) -> bytes:
    record = {name: value for name, value in {**GOOD, **changed}.items() if value is not ...}
    return json.dumps(record).encode()


def test_one_step_and_many() -> None:
    assert read_line(b"\xef\xbb\xbf" + line(), FEATURES).stream == "a"  # as files of Windows begin
    one = read_line(line(), FEATURES)
    assert (one.stream, one.is_one, one.step, one.reset) == ("a", True, None, False)
    np.testing.assert_array_equal(one.values, [[1.5, 2, 3]])
    two = read_line(line(load=[1, 4], x=[[2, 3], [5, 6]], step=7, reset=True, note="not ours"), FEATURES)
    assert (two.is_one, two.step, two.reset) == (False, 7, True)
    np.testing.assert_array_equal(two.values, [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        (b"{", None, "the line is no JSON"),
        (b"\xff", None, "the line is no JSON"),
        (b"[" * 100_000, None, "the line is no JSON"),
        (b'{"stream": "a", "load": 1' + b"0" * 5000 + b"}", None, "the line is no JSON: Exceeds the limit"),
        (b" " * (MAX_BYTES + 1), None, "the line is longer than 16,777,216 bytes"),
        (b"[1]", None, "the line is a list; expected an object"),
        (line(stream=...), "stream", "is missing; it must be text that names the stream"),
        (line(stream=7), "stream", "is a number; it must be text"),
        (line(stream=None), "stream", "is null; it must be text"),
        (line(stream=""), "stream", "is empty; it must be text"),
        (line(x=...), "x", "field 'x' is missing"),
        (line(x=[1, 2, 3]), "x", "has 3 numbers a step; the model needs 2"),
        (line(x=1), "x", "has 1 numbers a step; the model needs 2"),
        (line(x=[[1, 2], [3]]), "x", "lists of unequal length"),
        (line(x=[1, [2]]), "x", "lists of unequal length"),
        (line(x=[[[1, 2]]]), "x", "numbers a step; the model needs 2"),
        (line(x=[1, 10**400]), "x", "numbers too large"),
        (line(x=[]), "x", "numbers a step; the model needs 2"),
        (line(load=[], x=[]), "load", "field 'load' holds no step"),
        (line(x=[1, None]), "x", r"is null at x\[1\]; give a number"),
        (line(x=[[1, 2], [3, "4"]]), "x", r"is text at x\[1\]\[1\]; give a number"),
        (line(load=True), "load", "is true or false at load; give a number"),
        (line(load={}), "load", "is an object at load"),
        (line(x=[1, float("nan")]), "x", r"field 'x' is nan at x\[1\]; give finite numbers"),
        (line(load=[1, 2], x=[[1, 2], [float("inf"), 2]]), "x", r"is inf at x\[1\]\[0\]"),
        (line(load=[1, 2]), "x", "holds one step, and 'load' a list of 2"),
        (line(load=[1, 2, 3], x=[[1, 2]]), "x", "holds a list of 1, and 'load' a list of 3"),
        (line(step=-1), "step", "is -1; it must be a whole number ≥ 0"),
        (line(step=True), "step", "is True; it must be a whole number"),
        (line(step=1.0), "step", r"is 1\.0; it must be a whole number"),
        (line(reset="yes"), "reset", "is text; it must be true or false"),
    ],
)
def test_what_is_wrong_is_named(text: bytes, field: str | None, words: str) -> None:
    with pytest.raises(LineError, match=words) as found:
        read_line(text, FEATURES)
    assert found.value.field == field
    if field not in (None, "stream"):
        assert found.value.stream == "a"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["stream", "x", "load"]), inner),
    max_leaves=8,
)


@given(JSON | st.fixed_dictionaries({"stream": st.just("a"), "load": JSON, "x": JSON}))
def test_anything_is_a_line_or_is_refused_in_words(record: object) -> None:
    try:
        found = read_line(json.dumps(record).encode(), FEATURES)
    except LineError:
        return
    assert found.values.shape[1] == 3
    assert np.isfinite(found.values).all()
