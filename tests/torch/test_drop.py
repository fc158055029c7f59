"""Dropout of single numbers, beside PyTorch's."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from drystone.core.errors import ShapeError
from drystone.torch.drop import Dropout, drop


@given(fraction=st.floats(0.0, 1.0), shape=st.lists(st.integers(0, 5), max_size=3), seed=st.integers(0, 9))
def test_each_number_is_dropped_or_grows_so_that_the_mean_stays(fraction: float, shape: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    values = torch.rand(shape, dtype=torch.float64, requires_grad=True)
    found = drop(values, fraction)
    is_kept = found != 0
    assert found.shape == values.shape
    scale = 0.0 if fraction == 1.0 else 1.0 / (1.0 - fraction)
    if 0.01 < fraction < 0.99:
        torch.testing.assert_close(found[is_kept], values[is_kept] * scale, rtol=1e-3, atol=0)
    (gradient,) = torch.autograd.grad(found.sum(), values)
    torch.testing.assert_close(gradient * values, found)


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5, 0.77])
def test_as_many_are_dropped_as_by_pytorch_and_none_says_anything_of_another(fraction: float) -> None:
    torch.manual_seed(0)
    is_dropped = (drop(torch.ones(400_000), fraction) == 0).double().view(-1, 4)
    spread = (fraction * (1 - fraction) / len(is_dropped)) ** 0.5
    assert (is_dropped.mean(dim=0) - fraction).abs().max() < 5 * spread, "all four parts of a word"
    correlation = torch.corrcoef(is_dropped.T) - torch.eye(4, dtype=torch.float64)
    assert correlation.abs().max() < 5 / len(is_dropped) ** 0.5
    again = (drop(torch.ones(400_000), fraction) == 0).double().view(-1)
    assert abs(float(torch.corrcoef(torch.stack([again, is_dropped.view(-1)]))[0, 1])) < 5 / 400_000**0.5
    assert float(drop(torch.ones(400_000), fraction).mean()) == pytest.approx(1.0, abs=0.02)


def test_the_generator_of_pytorch_decides() -> None:
    torch.manual_seed(3)
    one, other = drop(torch.ones(50), 0.5), drop(torch.ones(50), 0.5)
    torch.manual_seed(3)
    assert torch.equal(drop(torch.ones(50), 0.5), one)
    assert not torch.equal(one, other)


def test_a_module_drops_in_training_only() -> None:
    module = Dropout(0.5)
    values = torch.ones(100)
    assert (module(values) == 0).any()
    assert module.eval()(values) is values
    assert Dropout(0.0)(values) is values
    assert not Dropout(1.0)(values).any()
    assert repr(module) == "Dropout(0.5)"
    with pytest.raises(ShapeError, match="dropout"):
        Dropout(1.5)
