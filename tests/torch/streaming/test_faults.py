"""Whatever is wrong in a call: the streams at fault are named, and none has moved."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

import drystone as ds
from drystone.torch import LSTM, StatefulPredictor
from tests.torch.streaming.models import FEATURES, alone, make

ONE = np.ones(FEATURES)
NAN = np.where(np.arange(FEATURES) == 1, np.nan, 1.0)
GOOD = {"a": ONE, "b": np.ones((2, FEATURES))}


def held() -> tuple[StatefulPredictor, Callable[[], None]]:
    """A predictor that has had steps of streams a and b, and a check that they have not moved."""
    model = make("lstm").eval()
    predictor = StatefulPredictor(model)
    predictor.step(GOOD)

    def check() -> None:
        assert predictor.streams == ["a", "b"]
        assert predictor.steps_of(["a", "b", "new"]).tolist() == [1, 2, 0]
        found = predictor.step({"a": ONE, "b": ONE, "new": ONE})
        for name, steps in (("a", 2), ("b", 3), ("new", 1)):
            torch.testing.assert_close(found[name], alone(model, np.ones((steps, FEATURES)))[-1])

    return predictor, check


@pytest.mark.parametrize(
    ("values", "reasons"),
    [
        ({"a": NAN}, {"a": "feature 1 of step 0 is nan in float64"}),
        ({"b": [ONE, ONE, -np.inf * ONE]}, {"b": "feature 0 of step 2 is -inf in float64"}),
        ({"a": [1, 2]}, {"a": "it has 2 features; expected 3"}),
        ({"a": 1.0}, {"a": "it has 1 features; expected 3"}),
        ({"a": []}, {"a": "it has 0 features; expected 3"}),
        ({"a": np.zeros((0, FEATURES))}, {"a": "it has no steps"}),
        (
            {"a": np.zeros((1, 1, FEATURES))},
            {"a": "its values have shape (1, 1, 3); expected [steps, features], or [features] of one step"},
        ),
        ({"a": [[1, 2, 3], [1, 2]]}, {"a": "its steps are ragged: every step needs the same number of features"}),
        ({"a": [1, None, 2]}, {"a": "None is no number"}),
        ({"a": "text"}, {"a": "'text' is no number"}),
        ({"a": torch.ones(3, dtype=torch.complex64)}, {"a": "its values are torch.complex64, not real numbers"}),
        (
            {"a": NAN, "b": [1], "c": None},
            {
                "a": "feature 1 of step 0 is nan in float64",
                "b": "it has 1 features; expected 3",
                "c": "None is no number",
            },
        ),
        ({7: ONE}, {7: "the id is of type int, not text (row 1)"}),
        ({"": ONE, None: ONE}, {"": "the id is empty (row 1)", None: "the id is missing (row 2)"}),
    ],
)
def test_values_by_stream_that_cannot_be_used(values: dict[Any, Any], reasons: dict[Any, str]) -> None:
    predictor, check_not_moved = held()
    with pytest.raises(ds.StreamInputError, match="No stream has moved") as caught:
        predictor.step({"good": ONE, **values})
    assert caught.value.reasons == reasons
    assert list(caught.value.reasons) == list(reasons)
    check_not_moved()


@pytest.mark.parametrize(
    ("ids", "values", "reasons"),
    [
        (["a", "b"], [ONE, NAN], {"b": "feature 1 of step 0 is nan in float64"}),
        (["a", "b", "a"], [ONE, ONE, NAN], {"a": "feature 1 of step 1 is nan in float64"}),
        (["b", "a", "b"], [[ONE, ONE]] * 2 + [[ONE, NAN]], {"b": "feature 1 of step 3 is nan in float64"}),
        (["a", "b"], np.ones((2, 4)), dict.fromkeys("ab", "it has 4 features; expected 3")),
        (["a", "b"], [1.0, 2.0], dict.fromkeys("ab", "it has 1 features; expected 3")),
        (["a", "b", "c"], [ONE, [1], ONE], {"b": "its values have shape (1,); those of most rows, (3,)"}),
        (
            ["a", "b", "c", "d"],
            [ONE, NAN, ONE, "x"],
            {"b": "its values are not finite", "d": "'x' is no number"},
        ),
        (["a", None], [ONE] * 2, {None: "the id is missing (row 1)"}),
        (np.array(["a", np.nan], object), [ONE] * 2, None),
        (["a", ""], [ONE] * 2, {"": "the id is empty (row 1)"}),
        (["a", 7], [ONE] * 2, {7: "the id is of type int, not text (row 1)"}),
        (["a", ["b"]], [ONE] * 2, {"['b']": "the id is of type list, not text (row 1)"}),
        (["a", pd.NA], [ONE] * 2, {pd.NA: "the id is of type NAType, not text (row 1)"}),
        (["a", b"b"], [ONE] * 2, {b"b": "the id is of type bytes, not text (row 1)"}),
        (np.arange(2), [ONE] * 2, {0: "the id is of type int, not text (row 0)", 1: "the id is of type int, not text (row 1)"}),
    ],
)  # fmt: skip
def test_columns_that_cannot_be_used(ids: Any, values: Any, reasons: dict[Any, str] | None) -> None:
    predictor, check_not_moved = held()
    with pytest.raises(ds.StreamInputError, match="No stream has moved") as caught:
        predictor.step(ids, values)
    if reasons is not None:
        assert caught.value.reasons == reasons
    check_not_moved()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a"], [ONE, ONE]), "there are 1 ids and 2 rows of values; each row needs an id"),
        ((["a"], [ONE, [1]]), "there are 1 ids and 2 rows of values; each row needs an id"),
        ((["a"],), r"there are ids and no values; pass step\(ids, values\)"),
        ((GOOD, ONE), "both by stream id and as a column"),
        (({},), "nothing came"),
        (([], np.zeros((0, FEATURES))), r"values has shape \(0, 3\); at least one row, step and feature"),
        ((["a"], np.zeros((1, 0, FEATURES))), r"values has shape \(1, 0, 3\); at least one row, step and feature"),
        ((["a"], np.zeros((1, 1, 1, FEATURES))), r"expected \[rows, features\] or \[rows, steps, features\]"),
        ((["a"], 1.0), r"values has shape \(\)"),
        ((["a"], object()), "values is a object; pass an array"),
        (("a", [ONE]), "ids is 'a'; pass a list or an array of texts"),
        ((7, [ONE]), "ids is 7; pass a list or an array of texts"),
        ((np.array([["a"]]), [ONE]), r"ids has shape \(1, 1\); pass one id a row"),
    ],
)
def test_calls_that_make_no_sense(arguments: tuple[Any, ...], message: str) -> None:
    predictor, check_not_moved = held()
    with pytest.raises(ds.DataError, match=message):
        predictor.step(*arguments)
    check_not_moved()


def test_the_others_can_be_sent_again() -> None:
    predictor, _ = held()
    values = {"a": ONE, "b": NAN, "c": ONE}
    with pytest.raises(ds.StreamInputError) as caught:
        predictor.step(values)
    found = predictor.step({name: value for name, value in values.items() if name not in caught.value.reasons})
    assert list(found) == ["a", "c"]
    assert predictor.steps_of(["a", "b", "c"]).tolist() == [2, 2, 1]


def test_before_the_first_step_most_streams_say_how_many_features_there_are() -> None:
    predictor = StatefulPredictor(make("gru"))
    with pytest.raises(ds.StreamInputError) as caught:
        predictor.step({"a": [1, 2], "b": ONE, "c": ONE})
    assert caught.value.reasons == {"a": "it has 2 features; expected 3"}


def test_a_value_too_large_for_the_weights_is_infinite() -> None:
    predictor = StatefulPredictor(make("gru").float())
    with pytest.raises(ds.StreamInputError, match="'a': feature 0 of step 0 is inf in float32"):
        predictor.step({"a": [1e300, 1, 1]})
    predictor.step({"a": [3e38, 3e38, 3e38]})  # only the sum is


def faulty(fault: Callable[[Any, Any], Any]) -> tuple[StatefulPredictor, Callable[[], None], list[bool]]:
    """As `held`, with a model that goes wrong while the flag is set."""
    model = make("lstm").eval()
    flag = [False]

    def wrapped(x: Any, state: Any) -> Any:
        found = model(x, state)
        return fault(x, found) if flag[0] else found

    predictor = StatefulPredictor(wrapped, module=model)
    predictor.step(GOOD)

    def check() -> None:
        flag[0] = False
        assert predictor.steps_of(["a", "b", "new"]).tolist() == [1, 2, 0]
        found = predictor.step({"a": ONE, "b": ONE})
        for name, steps in (("a", 2), ("b", 3)):
            torch.testing.assert_close(found[name], alone(model, np.ones((steps, FEATURES)))[-1])

    return predictor, check, flag


def raises(x: Any, found: Any) -> Any:
    raise RuntimeError("out of order")


def at_row_1(value: float, in_state: bool) -> Callable[[Any, Any], Any]:
    def fault(x: Any, found: Any) -> Any:
        outputs, (h, c) = found
        (c[0, 1] if in_state else outputs[1, -1])[2] = value
        return outputs, (h, c)

    return fault


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (raises, RuntimeError, "out of order"),
        (lambda x, found: found[0], ds.ShapeError, r"returned a Tensor; it must return \(outputs, state\)"),
        (lambda x, found: (found[0][:, 0], found[1]), ds.ShapeError, r"expected \[3 rows, 1 steps, ...\]"),
        (lambda x, found: (found[0][:2], found[1]), ds.ShapeError, r"expected \[3 rows, 1 steps, ...\]"),
        (lambda x, found: (found[0], found[1][0]), ds.ShapeError, r"state of \[2, 1, 4\] float64; those before were \[2, 1, 4\] float64, \[2"),
        (lambda x, found: (found[0], found[1][0][:, :2]), ds.ShapeError, "axis 1 must be the 3 rows"),
        (lambda x, found: (found[0], (*found[1], 7)), ds.ShapeError, "holds a int; it must be a tensor, or plain"),
        (lambda x, found: (found[0], tuple(part.float() for part in found[1])), ds.ShapeError, "float32, .* before"),
        (at_row_1(np.nan, False), ds.StreamInputError, "1 of 3 streams .* 'a': the prediction at step 0 is nan"),
        (at_row_1(np.inf, True), ds.StreamInputError, "1 of 3 streams .* 'a': the state after its steps holds inf"),
    ],
)  # fmt: skip
def test_a_model_that_goes_wrong(fault: Callable[[Any, Any], Any], error: type[Exception], message: str) -> None:
    predictor, check_not_moved, flag = faulty(fault)
    flag[0] = True
    with pytest.raises(error, match=message):
        predictor.step(["b", "a", "new"], [ONE, ONE, ONE])
    check_not_moved()


def test_a_model_that_goes_wrong_in_a_later_piece() -> None:
    predictor, check_not_moved, flag = faulty(lambda x, found: found if x.shape[1] == 1 else raises(x, found))
    flag[0] = True
    with pytest.raises(RuntimeError):
        predictor.step({"a": ONE, "b": [ONE] * 3, "new": ONE})
    check_not_moved()


def test_a_stream_is_named_whatever_the_order_of_the_rows() -> None:
    predictor, check_not_moved, flag = faulty(lambda x, found: (found[0] / (x[..., :1] - 5), found[1]))
    flag[0] = True
    with pytest.raises(ds.StreamInputError) as caught:
        predictor.step({"a": ONE, "new": [ONE, ONE, [5, 1, 1]], "b": [ONE, ONE]})
    assert list(caught.value.reasons) == ["new"]
    assert "at step 2" in caught.value.reasons["new"]
    check_not_moved()


def test_a_stream_with_a_state_that_is_not_finite_is_named_whatever_the_order_of_the_rows() -> None:
    def fault(x: Any, found: Any) -> Any:
        outputs, (h, c) = found
        return outputs, (h, c / (x[:, -1, :1] - 5))

    predictor, check_not_moved, flag = faulty(fault)
    flag[0] = True
    with pytest.raises(ds.StreamInputError) as caught:
        predictor.step({"a": [5, 1, 1], "b": [ONE] * 3, "new": [ONE] * 2})
    assert list(caught.value.reasons) == ["a"]
    assert "the state after its steps holds" in caught.value.reasons["a"]
    check_not_moved()


def test_steps_of_and_forget_refuse_ids_that_are_not_text() -> None:
    predictor, check_not_moved = held()
    for method in (predictor.steps_of, predictor.forget):
        with pytest.raises(ds.StreamInputError, match="7: the id is of type int"):
            method(["a", 7])
        with pytest.raises(ds.DataError, match="ids is 'a'"):
            method("a")
    check_not_moved()


def test_the_error_names_8_and_can_be_pickled() -> None:
    error = ds.StreamInputError({f"s{number}": "why" for number in range(11)}, num_streams=20)
    assert str(error).startswith("11 of 20 streams cannot go on: 's0': why; 's1': why")
    assert "'s7': why; and 3 more, in reasons. No stream" in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.reasons) == (str(error), error.reasons)


def test_a_model_that_starts_elsewhere_than_from_zeros() -> None:
    """Streams that begin beside others start from zeros; those that come first would not."""

    def counting(x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        state = torch.ones(1, len(x), 1) if state is None else state
        return x + state[0][:, None], state + x.shape[1]

    predictor = StatefulPredictor(counting)
    with pytest.raises(ds.ShapeError, match="another state than zeros where the state is None"):
        predictor.step({"a": [1.0]})
    assert predictor.streams == []


def test_masked_values_are_missing() -> None:
    predictor = StatefulPredictor(LSTM(1, 2))
    values = np.ma.masked_array([[1.0], [2.0]], mask=[[False], [True]])
    with pytest.raises(ds.StreamInputError, match="masked") as found:
        predictor.step(["a", "b"], values)
    assert list(found.value.reasons) == ["b"]
    with pytest.raises(ds.StreamInputError, match="masked"):
        predictor.step({"a": values})
    assert predictor.streams == []
