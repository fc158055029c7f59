"""Lines of many streams: each gets what it would get alone, whatever comes with it."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.train.follow.small import alone, follower, line

NAMES = st.sampled_from(["a", "b", "c", "d"])


@st.composite
def lines(draw: st.DrawFn) -> tuple[str, list[Any], bool]:
    count = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    x = rng.standard_normal((count, 2)).tolist()
    return draw(NAMES), x, draw(st.integers(0, 5)) == 0


@given(st.lists(lines(), min_size=1, max_size=20), st.data(), st.sampled_from([None, 1, 2, 4]))
def test_each_stream_gets_what_it_would_get_alone(
    found: list[tuple[str, list[Any], bool]], data: st.DataObject, max_streams: int | None
) -> None:
    """In any batches, with streams that start anew, and bounds that make batches run in pieces."""
    follows, predictor = follower(max_streams=max_streams if max_streams == 4 else None)
    if max_streams and max_streams < 4:
        predictor._max_streams = max_streams  # runs in pieces, and forgets nothing
    past: dict[str, list[Any]] = {}
    texts, expected = [], []
    for stream, x, reset in found:
        before = [] if reset else past.get(stream, [])
        past[stream] = [*before, *x]
        expected.append((stream, len(before), alone(past[stream])[len(before) :]))
        texts.append(line(stream, x, step=len(before), **({"reset": True} if reset else {})))
    answers = []
    while texts:
        count = data.draw(st.integers(1, len(texts)))
        answers += follows.take(texts[:count], 0.0).answers
        texts = texts[count:]
    assert len(answers) == len(expected)
    for answer, (stream, step, outputs) in zip(answers, expected, strict=True):
        assert (answer["stream"], answer["step"]) == (stream, step)
        np.testing.assert_allclose(answer["h"], outputs, rtol=1e-10, atol=1e-12)
    names = list(past)
    assert predictor.steps_of(names).tolist() == [len(past[name]) for name in names]


def test_a_bad_line_is_answered_and_moves_nothing() -> None:
    follows, predictor = follower()
    taken = follows.take([line("a", [1, 2]), b"{", b" ", line("a", [1]), line("b", [0, 1]), line("a", [3, 4])], 0.0)
    errors = [answer.get("error") for answer in taken.answers]
    assert [error is None for error in errors] == [True, False, False, True, True]
    assert taken.answers[1]["line"] == 2
    assert {name: taken.answers[2][name] for name in ("line", "stream", "field")} == {
        "line": 4,
        "stream": "a",
        "field": "x",
    }
    assert [entry.lines for entry in taken.ran] == [[line("a", [1, 2]), line("b", [0, 1]), line("a", [3, 4])]]
    np.testing.assert_allclose(taken.answers[4]["h"], alone([[1, 2], [3, 4]])[1])
    assert predictor.steps_of(["a", "b"]).tolist() == [2, 1]


def test_numbers_of_steps_must_follow_each_other() -> None:
    follows, predictor = follower()
    answers = follows.take(
        [
            line("a", [1, 2], step=0),
            line("a", [1, 2], step=0),
            line("a", [[3, 4], [5, 6]], step=1),
            line("a", [7, 8], step=5),
            line("a", [7, 8], step=3),
            line("b", [7, 8], step=1),
            line("a", [1, 1], step=0, reset=True),
        ],
        0.0,
    ).answers
    assert [answer.get("step") for answer in answers] == [0, None, 1, None, 3, None, 0]
    assert "the next step of stream 'a' is 1: it came already" in answers[1]["error"]
    assert "the next step of stream 'a' is 3: steps 3 to 4 are missing before it" in answers[3]["error"]
    assert answers[5]["field"] == "step"
    assert predictor.steps_of(["a", "b"]).tolist() == [1, 0]
    np.testing.assert_allclose(answers[6]["h"], alone([[1, 1]])[0])


def test_a_stream_that_cannot_go_on_leaves_the_others_alone() -> None:
    follows, predictor = follower()
    follows.take([line("a", [1, 2]), line("b", [1, 2])], 0.0)
    lines = [line("a", [3, 4]), line("b", [3, 4]), line("a", [5000, 6]), line("b", [5, 6]), line("a", [7, 8], step=2)]
    taken = follows.take(lines, 0.0)
    assert ["error" in answer for answer in taken.answers] == [False, False, True, False, False]
    assert (taken.answers[2]["stream"], taken.answers[2]["line"]) == ("a", 5)
    assert predictor.steps_of(["a", "b"]).tolist() == [3, 3]
    np.testing.assert_allclose(taken.answers[3]["h"], alone([[1, 2], [3, 4], [5, 6]])[2])
    np.testing.assert_allclose(taken.answers[4]["h"], alone([[1, 2], [3, 4], [7, 8]])[2])
    assert sorted(text for entry in taken.ran for text in entry.lines) == sorted(lines[:2] + lines[3:])


def test_a_refused_line_starts_nothing_anew() -> None:
    follows, predictor = follower()
    follows.take([line("a", [1, 2])], 0.0)
    (answer,) = follows.take([line("a", [5000, 6], reset=True)], 0.0).answers
    assert "error" in answer
    (answer,) = follows.take([line("a", [3, 4], step=1)], 0.0).answers
    np.testing.assert_allclose(answer["h"], alone([[1, 2], [3, 4]])[1])
    assert predictor.steps_of(["a"]).tolist() == [2]


def test_names_that_differ_in_their_last_character_only() -> None:
    follows, predictor = follower()
    names = ["a", "a\0", "\0", "a ", "ä", "\ud800"]
    answers = follows.take([line(name, [1, 2]) for name in [*names, *names]], 0.0).answers
    assert [answer["step"] for answer in answers] == [0] * len(names) + [1] * len(names)
    assert sorted(predictor.streams) == sorted(names)


def test_streams_that_were_silent_are_forgotten_by_the_time_of_the_lines() -> None:
    follows, predictor = follower(forget_after=10.0)
    follows.take([line("a", [1, 2])], 100.0)
    follows.take([line("b", [1, 2])], 105.0)
    (answer,) = follows.take([line("b", [1, 2])], 112.0).answers
    assert answer["step"] == 1
    assert predictor.streams == ["b"]
    (answer,) = follows.take([line("a", [1, 2])], 112.0).answers
    assert answer["step"] == 0
