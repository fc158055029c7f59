"""The oracle refuses what the contract forbids: each rule broken once."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from drystone import Plan, Stateful
from tests.contract.oracle import Span, Weights, broken_rule, one_sequence, over_grid
from tests.contract.shares import broken_share

LENGTHS = np.array([3, 2])
GOOD = [Span(0, 0, 0, 0, 0, 2), Span(0, 1, 0, 1, 0, 2), Span(1, 0, 0, 0, 2, 1)]
SHAPES = [(2, 2), (1, 1)]


def test_a_carried_plan_keeps_every_rule() -> None:
    assert broken_rule(LENGTHS, GOOD, SHAPES, []) == ""
    assert broken_rule(LENGTHS, [GOOD[0], GOOD[2]], SHAPES, [(1, 0, 2)]) == ""


def test_a_sequence_goes_on_in_its_row_wherever_invalid_cells_lie() -> None:
    spans = [Span(0, 0, 0, 0, 0, 1), Span(0, 0, 2, 0, 1, 1), Span(2, 0, 1, 0, 2, 1)]
    shapes = [(1, 3), (1, 2), (1, 2)]
    assert broken_rule(LENGTHS[:1], spans, shapes, []) == ""
    between = Span(1, 0, 0, 1, 0, 2)
    assert "go on" in broken_rule(LENGTHS, [*spans, between], shapes, [])


@pytest.mark.parametrize(
    ("spans", "rule"),
    [
        ([*GOOD[:2], Span(1, 0, 0, 0, 1, 1)], "twice"),
        (GOOD[:2], "missing"),
        ([GOOD[0], Span(0, 0, 1, 1, 0, 1), Span(0, 1, 0, 1, 1, 1), GOOD[2]], "overlap"),
        ([*GOOD[:2], Span(1, 0, 1, 0, 2, 1)], "outside"),
        ([GOOD[0], GOOD[1], Span(0, 1, 1, 0, 2, 1)], "overlap"),
        ([Span(0, 1, 0, 0, 0, 2), Span(0, 0, 0, 1, 0, 2), GOOD[2]], "go on"),
        ([Span(0, 0, 1, 0, 0, 1), Span(0, 0, 0, 0, 1, 1), GOOD[1], GOOD[2]], "go on"),
        ([Span(0, 0, 0, 0, 1, 2), GOOD[1], Span(1, 0, 0, 0, 0, 1)], "go on"),
    ],
)
def test_each_rule_can_be_broken(spans: list[Span], rule: str) -> None:
    assert rule in broken_rule(LENGTHS, spans, SHAPES, [])


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda shares: [shares[0], shares[0]], "twice or by nobody"),
        (lambda shares: [shares[0], replace(shares[1], table=shares[1].table[:-1])], "twice or by nobody"),
        (lambda shares: [shares[0], replace(shares[1], batches=shares[1].batches[:1])], "shapes differ"),
        (lambda shares: [shares[0], _on_rows(shares[1], [0, 1])], "torn apart"),
        (lambda shares: [shares[0], _on_rows(shares[1], [1, 1])], ""),
        (lambda shares: [_on_rows(shares[0], [0, 0, 0, 0]), shares[1]], "share a place"),
    ],
)
def test_each_rule_of_shares_can_be_broken(change: Callable[[list[Plan]], list[Plan]], rule: str) -> None:
    plan = Stateful(rows=3, steps=2, order="given").plan([4, 4, 4])
    shares = [plan.shard(rank, 2) for rank in range(2)]
    assert broken_share(plan, shares) == ""
    found = broken_share(plan, change(shares))
    assert rule in found
    assert bool(rule) == bool(found)


def _on_rows(share: Plan, rows: list[int]) -> Plan:
    return replace(share, table=share.table.set_column(1, "row", pa.array(rows)))


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
