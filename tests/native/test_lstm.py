"""What the native recurrence refuses: it trusts no shape, no place and no memory."""

from typing import Any

import numpy as np
import pytest

_native = pytest.importorskip("drystone.native._native")
BUILD = _native.lstm_builds()[0]
CELLS, HIDDEN, ROWS = 5, 3, 2


def forward_arguments() -> dict[str, Any]:
    draw = np.random.default_rng(0).normal
    return {
        "gates": draw(size=(CELLS, 4 * HIDDEN)),
        "weights": draw(size=(4 * HIDDEN, HIDDEN)),
        "h": draw(size=(ROWS, HIDDEN)),
        "c": draw(size=(ROWS, HIDDEN)),
        "starts": np.array([0, 2, 5]),
        "rows": np.array([0, -1]),
        "at": np.array([0, 1, 3, 4, 6]),
        "output": np.zeros((7, HIDDEN)),
        "cells": np.zeros((CELLS, HIDDEN)),
        "keeps_gates": True,
        "build": BUILD,
        "num_threads": 2,
        "parallel_for": 0,
    }


def backward_arguments() -> dict[str, Any]:
    given = forward_arguments()
    draw = np.random.default_rng(1).normal
    kept = {name: given[name] for name in ("gates", "weights", "c", "starts", "rows", "at", "cells")}
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
    ("weights", np.zeros((4 * HIDDEN + 1, HIDDEN)), r"weights must be \[12, 3\]"),
    ("weights", np.zeros((0, 0)), "at least 1 unit"),
    ("c", np.zeros((ROWS, HIDDEN + 1)), r"c must be \[2, 3\]"),
    ("cells", np.zeros((CELLS - 1, HIDDEN)), r"cells must be \[5, 3\]"),
    ("starts", np.array([0, 5]), "starts must be one longer than rows"),
    ("starts", np.array([1, 2, 5]), "starts must lead from 0"),
    ("starts", np.array([0, 2, 6]), "starts must lead from 0 to the number of cells"),
    ("starts", np.array([0, 0, 5]), "run 0 holds no cell"),
    ("starts", np.array([0, 7, 5]), "run 1 holds no cell"),
    ("rows", np.array([0, 2]), "run 1 starts from row 2 of 2"),
    ("rows", np.array([-2, 0]), "run 0 starts from row -2"),
    ("at", np.array([0, 1, 3, 4]), "one place a cell"),
    ("at", np.array([0, 1, 3, 4, 7]), "places must rise, and lie in the output"),
    ("at", np.array([0, 1, 1, 4, 6]), "places must rise"),
    ("at", np.array([-1, 1, 3, 4, 6]), "places must rise"),
    ("at", None, "without places, each cell must have one"),
    ("build", "sse9", "runs no build named sse9"),
]
FORWARD_ONLY: list[tuple[str, Any, str]] = [
    ("h", np.zeros((ROWS + 1, HIDDEN)), r"h must be \[2, 3\]"),
    ("output", np.zeros((7, HIDDEN + 1)), r"output must be \[7, 3\]"),
]
BACKWARD_ONLY: list[tuple[str, Any, str]] = [
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


@pytest.mark.parametrize("name", ["gates", "weights", "h", "c", "output", "cells"])
@pytest.mark.parametrize("kind", ["int", "single", "strided", "flat"])
def test_arrays_of_another_kind_are_refused(name: str, kind: str) -> None:
    given = forward_arguments()
    array = given[name]
    other = {
        "int": array.astype(int),
        "single": array.astype(np.float32),
        "strided": np.asfortranarray(array),
        "flat": array.ravel(),
    }[kind]
    with pytest.raises(TypeError):
        _native.lstm_forward(**(given | {name: other}))


@pytest.mark.parametrize("name", ["gates", "output", "cells"])
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


@pytest.mark.parametrize("other", ["gates", "weights", "h", "c", "cells"])
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
        found.append([given["output"], given["cells"], back["gates"], back["c_gradient"]])
        assert (given["output"][[2, 5]] == 0).all()
    for other in found[1:]:
        for ours, theirs in zip(found[0], other, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


def test_no_cell_at_all_is_no_work() -> None:
    given = forward_arguments()
    none = np.zeros((0, HIDDEN))
    runs = {"starts": np.array([0]), "rows": np.array([], int), "at": np.array([], int)}
    _native.lstm_forward(**(given | runs | {"gates": np.zeros((0, 4 * HIDDEN)), "cells": none}))
    assert (given["output"] == 0).all()
