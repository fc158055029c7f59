"""Inputs that are vectors of a table: the fused kernel multiplies each vector with the input weights once."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import drystone as ds
from drystone.core.grid import Grid
from drystone.torch import LSTM
from drystone.torch.checks import check_ids
from drystone.torch_ops import fused, fused_native
from tests.contract import strategies

FEATURES = 3


def lstm_of(hidden: int, **settings: Any) -> LSTM:
    torch.manual_seed(0)
    return LSTM(FEATURES, hidden, dtype=torch.float64, **settings)


def table_of(num_vectors: int) -> Tensor:
    return torch.randn(num_vectors, FEATURES, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def results(lstm: LSTM, run: Any, vectors: Tensor, state: tuple[Tensor, Tensor]) -> list[Tensor]:
    """Outputs, states and all gradients."""
    found = [run.output, *run.state, run.final_c()]
    loss = sum((part * part.detach().cos()).sum() for part in found)
    assert isinstance(loss, Tensor)
    return [*found, *torch.autograd.grad(loss, [vectors, *state, *lstm.parameters()])]


@settings(max_examples=100)
@given(
    masks=strategies.masks(),
    num_vectors=st.integers(1, 5),
    hidden=st.integers(1, 20),
    bias=st.booleans(),
    num_layers=st.integers(1, 2),
    build=st.sampled_from(fused_native.BUILDS),
)
def test_ids_are_their_vectors(masks: Any, num_vectors: int, hidden: int, build: str, **given_settings: Any) -> None:
    valid, reset = masks
    grid, lstm = Grid.from_masks(reset=reset, valid=valid), lstm_of(hidden, **given_settings)
    ids = torch.from_numpy(np.random.default_rng(2).integers(0, num_vectors, valid.shape))
    vectors = table_of(num_vectors).requires_grad_()
    shape = given_settings["num_layers"], len(valid), hidden
    state = tuple(torch.full(shape, value, dtype=torch.float64, requires_grad=True) for value in (0.3, -0.2))
    assert len(state) == 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused_native, "chosen_build", lambda: build)
        found = results(lstm, lstm.run(ids, grid, state, vectors=vectors), vectors, state)
    expected = results(lstm, lstm.run(vectors[ids], grid, state), vectors, state)
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "given_settings",
    [
        {"bidirectional": True},
        {"batch_first": False},
        {"kernel": "reference"},
        {"kernel": "vendor"},
        {"variational_dropout": 0.5},
        {"proj_size": 2},
    ],
    ids=repr,
)
def test_so_they_are_for_every_setting(given_settings: dict[str, Any]) -> None:
    reset = np.array([[True, False, False, True, False], [True, False, False, False, False]])
    grid, lstm = Grid.from_masks(reset=reset, valid=np.ones_like(reset)), lstm_of(4, **given_settings)
    ids, vectors = torch.arange(10).view(2, 5) % 3, table_of(3)
    ids = ids if lstm.batch_first else ids.t()
    found, expected = lstm.run(ids, grid, epoch=0, vectors=vectors), lstm.run(vectors[ids], grid, epoch=0)
    torch.testing.assert_close(found.output, expected.output, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(found.state, expected.state, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("num_vectors", "width"), [(3, 0), (10, FEATURES), (50, FEATURES)])
def test_it_is_done_where_there_are_more_cells_than_vectors(
    num_vectors: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    widths: list[int] = []
    call = fused.fused_call

    def counted(inputs: Any, plain: Any) -> Any:
        widths.append(inputs.x.shape[2])
        return call(inputs, plain)

    monkeypatch.setattr(fused, "fused_call", counted)
    grid = Grid.from_masks(reset=np.eye(2, 5, dtype=bool), valid=np.ones((2, 5), dtype=bool))
    lstm_of(4).run(torch.zeros(2, 5, dtype=torch.int64), grid, vectors=table_of(num_vectors))
    assert widths == [width]


def test_second_derivatives_are_those_of_the_vectors() -> None:
    grid, lstm = Grid.from_masks(reset=[[True, False, True, False]], valid=[[True] * 4]), lstm_of(2)
    ids, vectors = torch.tensor([[0, 1, 1, 0]]), table_of(2).requires_grad_()
    assert torch.autograd.gradgradcheck(lambda table: lstm.run(ids, grid, vectors=table).output, [vectors])


@pytest.mark.parametrize(
    ("ids", "vectors", "said"),
    [
        (torch.zeros(1, 2), torch.zeros(2, FEATURES), r"x is torch.float32 of shape \(1, 2\); with vectors, expected"),
        (torch.zeros(1, 2, 1, dtype=torch.int64), torch.zeros(2, FEATURES), "with vectors, expected torch.int64"),
        ([[0, 1]], torch.zeros(2, FEATURES), "x is a list; with vectors, expected torch.int64"),
        (torch.zeros(1, 2, dtype=torch.int64), torch.zeros(2), r"vectors have shape \(2,\) on cpu; expected"),
        (torch.tensor([[1, -2]]), torch.zeros(2, FEATURES), r"x holds the id -2; there are vectors 0 … 1"),
        (torch.tensor([[1, 2]]), torch.zeros(2, FEATURES), r"x holds the id 2; there are vectors 0 … 1"),
    ],
)
def test_ids_that_have_no_vector_are_named(ids: Any, vectors: Tensor, said: str) -> None:
    with pytest.raises(ds.ShapeError, match=said):
        check_ids(ids, vectors)


def test_vectors_of_another_width_are_named() -> None:
    grid = Grid.from_masks(reset=[[True, False]], valid=[[True, True]])
    with pytest.raises(ds.ShapeError, match=r"x has shape \(1, 2, 4\); expected \(1, 2, 3\)"):
        LSTM(FEATURES, 2).run(torch.zeros(1, 2, dtype=torch.int64), grid, vectors=torch.zeros(2, 4))
