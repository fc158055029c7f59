"""Padded, bucketed and packed grids give what one sequence at a time gives."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from drystone.core.layouts import Bucketed, Layout, Packed, Padded
from drystone.torch import LSTM
from tests.contract import strategies
from tests.parity.one_at_a_time import Results, expected_results, grid_results, random_arrays, worst_error

Array = np.ndarray[Any, Any]
SIZES = st.sampled_from([1, 2, 7, 8])


def pair(
    hidden: int, layers: int, bidirectional: bool, bias: bool, kernel: str, dtype: torch.dtype
) -> tuple[nn.LSTM, LSTM]:
    torch.manual_seed(0)
    reference = nn.LSTM(3, hidden, layers, bias=bias, batch_first=True, bidirectional=bidirectional, dtype=dtype)
    lstm = LSTM(3, hidden, layers, bias=bias, bidirectional=bidirectional, kernel=kernel, dtype=dtype)
    lstm.load_state_dict(reference.state_dict())
    return reference, lstm


@settings(max_examples=80)
@given(
    lengths=strategies.lengths,
    layout=st.one_of(strategies.padded, strategies.bucketed(), strategies.packed).filter(
        lambda layout: getattr(layout, "remainder", "keep") == "keep"
    ),
    hidden=SIZES,
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    bias=st.booleans(),
    kernel=st.sampled_from(["fused", "vendor", "reference"]),
)
def test_float64_equals_one_sequence_at_a_time(
    lengths: Array, layout: Layout, hidden: int, layers: int, bidirectional: bool, bias: bool, kernel: str
) -> None:
    reference, lstm = pair(hidden, layers, bidirectional, bias, kernel, torch.float64)
    arrays = random_arrays(lengths, 3, torch.float64, seed=1)
    found = grid_results(lstm, arrays, layout, torch.float64)
    assert worst_error(found, expected_results(reference, arrays)) <= 1e-12


LAYOUTS = [
    Padded(16),
    Bucketed(num_buckets=4, batch_size=16),
    Packed(rows=8, steps=64),
    Packed(sequences=16),
    Packed(sequences=16, gap=1),
]


def as_float64(results: Results) -> Results:
    def lists(parts: list[torch.Tensor]) -> list[torch.Tensor]:
        return [part.double() for part in parts]

    gradients = {name: value.double() for name, value in results.parameter_gradients.items()}
    return Results(*(lists(part) for part in results[:4]), gradients)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: type(layout).__name__)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kernel", ["fused", "vendor", "reference"])
def test_float32_is_as_near_to_float64_as_nn_lstm(layout: Layout, bidirectional: bool, kernel: str) -> None:
    lengths = np.random.default_rng(0).integers(1, 50, 48)
    exact, _ = pair(64, 2, bidirectional, True, kernel, torch.float64)
    arrays = random_arrays(lengths, 3, torch.float32, seed=2)
    reference, lstm = pair(64, 2, bidirectional, True, kernel, torch.float32)
    exact.load_state_dict({name: value.double() for name, value in reference.state_dict().items()})
    truth = expected_results(exact, [array.double() for array in arrays])
    usual = worst_norm_error(as_float64(expected_results(reference, arrays)), truth)
    found = worst_norm_error(as_float64(grid_results(lstm, arrays, layout, torch.float32)), truth)
    for name, error in found.items():
        assert error <= max(4 * usual[name], 32 * torch.finfo(torch.float32).eps), name


def worst_norm_error(found: Results, truth: Results) -> dict[str, float]:
    """Norm-wise relative errors: of each kind of result over all sequences, and of each parameter's gradient."""

    def norm_error(ours: torch.Tensor, theirs: torch.Tensor) -> float:
        return float((ours - theirs).norm() / theirs.norm())

    kinds = {
        name: norm_error(torch.cat([part.flatten() for part in ours]), torch.cat([part.flatten() for part in theirs]))
        for name, ours, theirs in zip(found._fields[:4], found[:4], truth[:4], strict=True)
    }
    gradients = found.parameter_gradients
    return kinds | {name: norm_error(gradients[name], value) for name, value in truth.parameter_gradients.items()}
