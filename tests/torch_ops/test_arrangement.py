"""Rows laid anew: every valid cell exactly once, in order, and zeroed where a sequence starts."""

from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from drystone.torch_ops.arrangement import Arrangement, few_shapes, take_cells
from tests.contract import strategies

Array = np.ndarray[Any, Any]
CPU = torch.device("cpu")


def walked(arrangement: Arrangement, valid: Array) -> tuple[list[list[Any]], list[bool]]:
    """Of each row: the cells and zeroed states that the call meets, in order; and whether all but they hold the state."""
    numbers = torch.arange(1, valid.size + 1).reshape(valid.shape)[..., None]
    laid = arrangement.lay(torch.where(torch.from_numpy(valid)[..., None], numbers, 0))[..., 0]
    signals = torch.zeros(*laid.shape, 2, dtype=torch.bool) if arrangement.signals is None else arrangement.signals
    rows = [
        ["zeroed" if zeroed else int(number) for number, (_, zeroed) in zip(*row, strict=True) if number or zeroed]
        for row in zip(laid.T.tolist(), signals.transpose(0, 1).tolist(), strict=True)
    ]
    return rows, [bool((signals.sum(2) == (laid == 0)).all())]


def expected_walk(valid: Array, reset: Array) -> list[list[Any]]:
    """The same, cell by cell; several zeroings in a row count once, and none is needed before the first valid cell."""
    rows: list[list[Any]] = []
    for row in range(len(valid)):
        met: list[Any] = []
        for step in range(valid.shape[1]):
            if reset[row, step] and met and met[-1] != "zeroed":
                met.append("zeroed")
            if valid[row, step]:
                met.append(row * valid.shape[1] + step + 1)
        rows.append(met)
    return rows


@given(strategies.masks())
def test_a_call_meets_every_valid_cell_in_order(masks: tuple[Array, Array]) -> None:
    valid, reset = masks
    arrangement = Arrangement.of(valid, reset, CPU)
    rows, every_free_place_has_one_signal = walked(arrangement, valid)
    assert rows == expected_walk(valid, reset)
    assert all(every_free_place_has_one_signal)
    assert arrangement.is_zeroed_on_the_way == any("zeroed" in row for row in rows)


@given(strategies.masks())
def test_the_way_back_undoes_the_way_there(masks: tuple[Array, Array]) -> None:
    valid = torch.from_numpy(masks[0])
    arrangement = Arrangement.of(*masks, CPU)
    values = torch.randn(*valid.shape, 3)
    restored = arrangement.restore(arrangement.lay(values), valid)
    assert torch.equal(restored, torch.where(valid[..., None], values, 0.0))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=9), st.integers(1, 9))
def test_padded_rows_stay_in_their_columns(lengths: list[int], steps: int) -> None:
    valid = np.arange(steps) < np.array(lengths)[:, None]
    reset = np.zeros_like(valid)
    assert Arrangement.of(valid, reset, CPU).places is None
    reset[:, 0] = True
    assert Arrangement.of(valid, reset, CPU).places is None
    backward = valid[:, ::-1]
    assert Arrangement.of(backward, np.cumsum(backward, axis=1) == 1, CPU).places is None


def test_a_reserved_cell_before_each_start_is_used() -> None:
    valid = np.array([[True, True, False, True], [True, False, True, True]])
    reset = np.array([[True, False, False, True], [True, False, True, False]])
    arrangement = Arrangement.of(valid, reset, CPU)
    assert arrangement.places is None
    assert arrangement.signals is not None
    assert arrangement.signals.nonzero().tolist() == [[1, 1, 1], [2, 0, 1]]  # step, row, signal


@given(st.integers(1, 10_000))
def test_few_shapes_add_few_steps(num_steps: int) -> None:
    assert num_steps <= few_shapes(num_steps) <= num_steps * (1 + 1 / 16)
    assert few_shapes(few_shapes(num_steps)) == few_shapes(num_steps)


def test_there_are_few_shapes() -> None:
    assert len({few_shapes(number) for number in range(256, 512)}) == 17


def test_taking_cells_is_a_well_made_operator() -> None:
    values = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    there = torch.tensor([2, 0, 0, 3, 1]), torch.tensor([1])
    back = torch.tensor([2, 4, 0, 3]), torch.tensor([], dtype=torch.int64)
    torch.library.opcheck(take_cells, (values, *there, *back))
    assert torch.autograd.gradcheck(lambda values: take_cells(values, *there, *back), values)
