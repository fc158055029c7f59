"""What the native recurrence refuses: it trusts no shape, no place and no memory."""

from typing import Any

import numpy as np
import pytest

_native = pytest.importorskip("drystone.native._native")
BUILD = _native.lstm_builds()[0]
CELLS, FEATURES, HIDDEN, ROWS = 5, 4, 3, 2


def forward_arguments() -> dict[str, Any]:
    draw = np.random.default_rng(0).normal
    return {
        "x": draw(size=(7, FEATURES)),
        "input_weights": draw(size=(4 * HIDDEN, FEATURES)),
        "bias": draw(size=(1, 4 * HIDDEN)),
        "bias_of": None,
        "hidden_weights": draw(size=(4 * HIDDEN, HIDDEN)),
        "h": draw(size=(ROWS, HIDDEN)),
        "c": draw(size=(ROWS, HIDDEN)),
        "starts": np.array([0, 2, 5]),
        "rows": np.array([0, -1]),
        "at": np.array([0, 1, 3, 4, 6]),
        "gates": np.zeros((CELLS, 4 * HIDDEN)),
        "output": np.zeros((7, HIDDEN)),
        "h_before": np.zeros((CELLS, HIDDEN)),
        "cells": np.zeros((CELLS, HIDDEN)),
        "build": BUILD,
        "num_threads": 2,
        "parallel_for": 0,
    }


def backward_arguments() -> dict[str, Any]:
    given = forward_arguments()
    draw = np.random.default_rng(1).normal
    kept = {name: given[name] for name in ("gates", "hidden_weights", "c", "starts", "rows", "at", "cells")}
    return kept | {
        "output_gradient": draw(size=(7, HIDDEN)),
        "cells_gradient": draw(size=(CELLS, HIDDEN)),
        "c_gradient": np.zeros((ROWS, HIDDEN)),
        "num_places": 7,
        "build": BUILD,
        "num_threads": 2,
        "parallel_for": 0,
    }


WRONG: list[tuple[str, Any, str]] = [
    ("gates", np.zeros((CELLS, 4 * HIDDEN + 1)), r"gates must be \[5, 12\]; got \[5, 13\]"),
    ("hidden_weights", np.zeros((4 * HIDDEN + 1, HIDDEN)), r"hidden_weights must be \[12, 3\]"),
    ("hidden_weights", np.zeros((0, 0)), "at least 1 unit"),
    ("c", np.zeros((ROWS, HIDDEN + 1)), r"c must be \[2, 3\]"),
    ("starts", np.array([0, 5]), "starts must be one longer than rows"),
    ("starts", np.array([1, 2, 5]), "starts must lead from 0"),
    ("starts", np.array([0, 2, 6]), "starts must lead from 0 to the number of cells"),
    ("starts", np.array([0, 0, 5]), "run 0 holds no cell"),
    ("starts", np.array([0, 7, 5]), "run 1 holds no cell"),
    ("rows", np.array([0, 2]), "run 1 starts from row 2 of 2"),
    ("rows", np.array([-2, 0]), "run 0 starts from row -2"),
    ("rows", np.array([1, 1]), "rows must rise: each starts one run at most; run 1 starts from row 1"),
    ("at", np.array([0, 1, 3, 4]), "one place a cell"),
    ("at", np.array([0, 1, 3, 4, 7]), "places must rise, and lie in the output"),
    ("at", np.array([0, 1, 1, 4, 6]), "places must rise"),
    ("at", np.array([-1, 1, 3, 4, 6]), "places must rise"),
    ("at", None, "without places, each cell must have one"),
    ("build", "sse9", "runs no build named sse9"),
]
FORWARD_ONLY: list[tuple[str, Any, str]] = [
    ("cells", np.zeros((CELLS - 1, HIDDEN)), r"gates must be \[4, 12\]; got \[5, 12\]"),
    ("x", np.zeros((6, FEATURES)), r"x must be \[7, 4\]"),
    ("x", np.zeros((7, FEATURES + 1)), r"x must be \[7, 4\]"),
    ("input_weights", np.zeros((4 * HIDDEN - 1, FEATURES)), r"input_weights must be \[12, 4\]"),
    ("bias", np.zeros((1, HIDDEN)), r"bias must be \[1, 12\]"),
    ("bias", np.zeros((2, 4 * HIDDEN)), "without bias_of there must be one bias"),
    ("bias_of", np.zeros(6, int), "there must be one bias_of a place"),
    ("bias_of", np.array([0, 0, 0, 0, 0, 0, 1]), "place 6 has bias 1 of 1"),
    ("bias_of", np.array([0, -1, 0, 0, 0, 0, 0]), "place 1 has bias -1 of 1"),
    ("h", np.zeros((ROWS + 1, HIDDEN)), r"h must be \[2, 3\]"),
    ("output", np.zeros((7, HIDDEN + 1)), r"output must be \[7, 3\]"),
    ("h_before", np.zeros((CELLS + 1, HIDDEN)), r"h_before must be \[5, 3\]"),
]
BACKWARD_ONLY: list[tuple[str, Any, str]] = [
    ("cells", np.zeros((CELLS - 1, HIDDEN)), r"cells must be \[5, 3\]"),
    ("output_gradient", np.zeros((6, HIDDEN)), r"output_gradient must be \[7, 3\]"),
    ("cells_gradient", np.zeros((6, HIDDEN)), r"cells_gradient must be \[5, 3\]"),
    ("c_gradient", np.zeros((3, HIDDEN)), r"c_gradient must be \[2, 3\]"),
    ("c", None, "c_gradient needs c"),
]


@pytest.mark.parametrize(("name", "value", "words"), WRONG + FORWARD_ONLY)
def test_forward_refuses_what_does_not_fit(name: str, value: Any, words: str) -> None:
    given = forward_arguments()
    with pytest.raises(ValueError, match=words):
        _native.lstm_forward(**(given | {name: value}))
    assert (given["output"] == 0).all()


@pytest.mark.parametrize(("name", "value", "words"), WRONG + BACKWARD_ONLY)
def test_backward_refuses_what_does_not_fit(name: str, value: Any, words: str) -> None:
    given = backward_arguments()
    gates = given["gates"].copy()
    with pytest.raises(ValueError, match=words):
        _native.lstm_backward(**(given | {name: value}))
    assert (given["gates"] == gates).all()


ARRAYS = ["x", "input_weights", "bias", "hidden_weights", "h", "c", "gates", "output", "h_before", "cells"]


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("kind", ["int", "single", "strided", "flat"])
def test_arrays_of_another_kind_are_refused(name: str, kind: str) -> None:
    given = forward_arguments()
    array = given[name]
    other = {
        "int": array.astype(int),
        "single": array.astype(np.float32),
        "strided": np.repeat(array, 2, axis=1)[:, ::2],
        "flat": array.ravel(),
    }[kind]
    with pytest.raises(TypeError):
        _native.lstm_forward(**(given | {name: other}))


@pytest.mark.parametrize("name", ["gates", "output", "h_before", "cells"])
def test_memory_that_may_not_be_written_is_refused(name: str) -> None:
    given = forward_arguments()
    given[name].setflags(write=False)
    with pytest.raises(TypeError):
        _native.lstm_forward(**given)


def test_memory_that_lies_askew_is_refused() -> None:
    given = forward_arguments()
    size = given["cells"].size
    askew = np.zeros(size * 8 + 1, np.uint8)[1:].view(np.float64).reshape(CELLS, HIDDEN)
    with pytest.raises((ValueError, TypeError)):
        _native.lstm_forward(**(given | {"cells": askew}))


@pytest.mark.parametrize("other", [name for name in ARRAYS if name != "output"])
def test_memory_that_overlaps_is_refused(other: str) -> None:
    given = forward_arguments()
    block = np.zeros(7 * HIDDEN + given[other].size)
    given["output"] = block[: 7 * HIDDEN].reshape(7, HIDDEN)
    shape, size = given[other].shape, given[other].size
    given[other] = block[7 * HIDDEN - 1 : 7 * HIDDEN - 1 + size].reshape(shape)
    with pytest.raises(ValueError, match="lies in the same memory"):
        _native.lstm_forward(**given)


def test_what_fits_runs_on_every_build_alike() -> None:
    found = []
    for build in _native.lstm_builds():
        given = forward_arguments() | {"build": build}
        _native.lstm_forward(**given)
        back = backward_arguments() | {"build": build, "gates": given["gates"], "cells": given["cells"]}
        _native.lstm_backward(**back)
        found.append([given["output"], given["cells"], given["h_before"], back["gates"], back["c_gradient"]])
        assert (given["output"][[2, 5]] == 0).all()
    for other in found[1:]:
        for ours, theirs in zip(found[0], other, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


def test_what_nobody_will_ask_for_need_not_be_kept() -> None:
    kept, bare = forward_arguments(), forward_arguments() | {"gates": None, "h_before": None}
    _native.lstm_forward(**kept)
    _native.lstm_forward(**bare)
    assert (kept["output"] == bare["output"]).all()
    assert (kept["cells"] == bare["cells"]).all()
    assert (kept["h_before"][1] == kept["output"][0]).all()
    assert (kept["h_before"][[0, 2]] == [kept["h"][0], [0.0] * HIDDEN]).all()


def test_a_place_may_have_a_bias_of_its_own() -> None:
    """As many biases as places, each what its inputs would have added."""
    whole, looked_up = forward_arguments(), forward_arguments()
    sums = whole["x"] @ whole["input_weights"].T + whole["bias"]
    none = {"x": np.zeros((7, 0)), "input_weights": np.zeros((4 * HIDDEN, 0))}
    _native.lstm_forward(**whole)
    _native.lstm_forward(**(looked_up | none | {"bias": sums[::-1].copy(), "bias_of": np.arange(6, -1, -1)}))
    np.testing.assert_allclose(looked_up["output"], whole["output"], rtol=1e-12, atol=1e-14)


def test_no_cell_at_all_is_no_work() -> None:
    given = forward_arguments()
    none = np.zeros((0, HIDDEN))
    runs = {"starts": np.array([0]), "rows": np.array([], int), "at": np.array([], int)}
    gates = np.zeros((0, 4 * HIDDEN))
    _native.lstm_forward(**(given | runs | {"gates": gates, "h_before": none, "cells": none}))
    assert (given["output"] == 0).all()
