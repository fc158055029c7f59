"""The oracle refuses what the contract forbids: each rule broken once."""

import numpy as np
import pytest

from tests.contract.oracle import Span, Weights, broken_rule, one_sequence, over_grid

LENGTHS = np.array([3, 2])
GOOD = [Span(0, 0, 0, 0, 0, 2), Span(0, 1, 0, 1, 0, 2), Span(1, 0, 0, 0, 2, 1)]
SHAPES = [(2, 2), (1, 1)]


def test_a_carried_plan_keeps_every_rule() -> None:
    assert broken_rule(LENGTHS, GOOD, SHAPES, []) == ""
    assert broken_rule(LENGTHS, [GOOD[0], GOOD[2]], SHAPES, [(1, 0, 2)]) == ""


@pytest.mark.parametrize(
    ("spans", "rule"),
    [
        ([*GOOD[:2], Span(1, 0, 0, 0, 1, 1)], "twice"),
        (GOOD[:2], "missing"),
        ([GOOD[0], Span(0, 0, 1, 1, 0, 1), Span(0, 1, 0, 1, 1, 1), GOOD[2]], "overlap"),
        ([*GOOD[:2], Span(1, 0, 1, 0, 2, 1)], "outside"),
        ([GOOD[0], GOOD[1], Span(0, 1, 1, 0, 2, 1)], "overlap"),
        ([Span(0, 1, 0, 0, 0, 2), Span(0, 0, 0, 1, 0, 2), GOOD[2]], "go on"),
    ],
)
def test_each_rule_can_be_broken(spans: list[Span], rule: str) -> None:
    assert rule in broken_rule(LENGTHS, spans, SHAPES, [])


def test_a_grid_of_two_sequences_and_a_gap_equals_them_one_at_a_time() -> None:
    rng = np.random.default_rng(0)
    weights = Weights(rng.normal(size=(8, 3)), rng.normal(size=(8, 2)), rng.normal(size=8))
    x = rng.normal(size=(1, 6, 3))
    valid = np.array([[1, 1, 0, 1, 1, 0]], dtype=bool)
    reset = np.array([[1, 0, 0, 1, 0, 0]], dtype=bool)
    junk = np.full((1, 2), 7.0)
    output, h, c = over_grid(x, valid, reset, junk, junk, weights)
    first, _ = one_sequence(x[0, :2], weights)
    second, cells = one_sequence(x[0, 3:5], weights)
    np.testing.assert_allclose(output[0], np.vstack([first, np.zeros((1, 2)), second, np.zeros((1, 2))]), rtol=1e-15)
    np.testing.assert_allclose((h[0], c[0]), (second[-1], cells[-1]), rtol=1e-15)
