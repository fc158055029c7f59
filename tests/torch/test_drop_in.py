"""What PyTorch's own tests check of nn.LSTM and of packed sequences, in our words, against nn.LSTM itself."""

import copy
import io
import pickle
import warnings
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence, pad_packed_sequence

import drystone as ds
from drystone.core.layouts import Bucketed, Layout, Packed, Padded
from drystone.torch import LSTM
from tests.parity.one_at_a_time import expected_results, grid_results, random_arrays, worst_error

settings_of = st.fixed_dictionaries(
    {
        "num_layers": st.integers(1, 3),
        "bias": st.booleans(),
        "batch_first": st.booleans(),
        "bidirectional": st.booleans(),
        "proj_size": st.sampled_from([0, 0, 1, 3]),
    }
)
kernels = st.sampled_from(["fused", "vendor", "reference"])


def twins(kernel: str = "auto", **given_settings: Any) -> tuple[nn.LSTM, LSTM]:
    usual = nn.LSTM(3, 5, **given_settings, dtype=torch.float64)
    ours = LSTM(3, 5, **given_settings, dtype=torch.float64, kernel=kernel)
    ours.load_state_dict(usual.state_dict())
    return usual, ours


def state_for(lstm: LSTM, *rows: int) -> tuple[Tensor, Tensor]:
    h, c = lstm.sizes.state_shapes(*rows)
    return torch.randn(h, dtype=torch.float64), torch.randn(c, dtype=torch.float64)


def assert_same(found: Any, expected: Any) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)


def gradients(module: nn.Module, x: Tensor, result: tuple[Tensor, tuple[Tensor, Tensor]]) -> list[Tensor]:
    output, (h, c) = result
    loss = output.sin().sum() + (h**2).sum() + c.cos().sum()
    return list(torch.autograd.grad(loss, [x, *module.parameters()], retain_graph=True))


@given(settings_of, kernels, st.booleans(), st.booleans())
def test_tensors_give_what_nn_lstm_gives(
    chosen: dict[str, Any], kernel: str, with_state: bool, unbatched: bool
) -> None:
    assume(kernel != "fused" or not chosen["proj_size"])
    usual, ours = twins(kernel, **chosen)
    x = torch.randn(*((4, 3) if unbatched else (4, 2, 3)), dtype=torch.float64, requires_grad=True)
    rows = () if unbatched else (4 if chosen["batch_first"] else 2,)
    state = state_for(ours, *rows) if with_state else None
    found, expected = ours(x, state), usual(x, state)
    assert_same(found, expected)
    assert_same(gradients(ours, x, found), gradients(usual, x, expected))


@settings(max_examples=80)
@given(
    settings_of,
    kernels,
    st.lists(st.integers(1, 6), min_size=1, max_size=5),
    st.booleans(),
    st.booleans(),
)
def test_packed_sequences_give_what_nn_lstm_gives(
    chosen: dict[str, Any], kernel: str, lengths: list[int], with_state: bool, is_sorted: bool
) -> None:
    assume(kernel != "fused" or not chosen["proj_size"])
    usual, ours = twins(kernel, **chosen)
    lengths = sorted(lengths, reverse=True) if is_sorted else lengths
    x = torch.randn(max(lengths), len(lengths), 3, dtype=torch.float64, requires_grad=True)
    packed = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=is_sorted)
    state = state_for(ours, len(lengths)) if with_state else None
    found, expected = ours(packed, state), usual(packed, state)
    assert isinstance(found[0], PackedSequence)
    assert torch.equal(found[0].batch_sizes, expected[0].batch_sizes)
    for name in ("sorted_indices", "unsorted_indices"):
        order, usual_order = getattr(found[0], name), getattr(expected[0], name)
        assert (order is None and usual_order is None) or torch.equal(order, usual_order)
    assert_same((found[0].data, found[1]), (expected[0].data, expected[1]))
    results = [(result[0].data, result[1]) for result in (found, expected)]
    assert_same(gradients(ours, x, results[0]), gradients(usual, x, results[1]))


def test_a_packed_batch_is_its_sequences_one_by_one() -> None:
    lstm = LSTM(3, 5, 2, bidirectional=True, dtype=torch.float64)
    sequences = [torch.randn(length, 3, dtype=torch.float64) for length in (2, 5, 1, 5)]
    output, (h, c) = lstm(pack_sequence(sequences, enforce_sorted=False))
    padded, lengths = pad_packed_sequence(output, batch_first=True)
    for number, sequence in enumerate(sequences):
        alone = lstm(sequence)
        assert_same((padded[number, : lengths[number]], (h[:, number], c[:, number])), alone)


def test_unbatched_input_takes_masks() -> None:
    lstm = LSTM(3, 5, dtype=torch.float64)
    x, reset, valid = torch.randn(4, 3, dtype=torch.float64), torch.tensor([0, 0, 1, 0]) > 0, torch.arange(4) < 3
    output, (h, c) = lstm(x, reset=reset, valid=valid)
    batched, (batched_h, batched_c) = lstm(x[None], reset=reset[None], valid=valid[None])
    assert_same((output, h, c), (batched[0], batched_h[:, 0], batched_c[:, 0]))


@pytest.mark.parametrize("layout", [Padded(3), Bucketed(num_buckets=2, batch_size=3), Packed(rows=2, steps=12)])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_projections_are_exact_over_grids(layout: Layout, bidirectional: bool) -> None:
    usual, ours = twins(num_layers=2, batch_first=True, bidirectional=bidirectional, proj_size=2)
    arrays = random_arrays([5, 1, 7, 3, 3], 3, torch.float64, seed=1)
    assert worst_error(grid_results(ours, arrays, layout, torch.float64), expected_results(usual, arrays)) <= 1e-12


@given(settings_of)
def test_parameters_have_the_names_shapes_order_and_first_values_of_nn_lstm(chosen: dict[str, Any]) -> None:
    torch.manual_seed(3)
    usual = nn.LSTM(3, 5, **chosen)
    torch.manual_seed(3)
    ours = LSTM(3, 5, **chosen)
    theirs = usual.state_dict()
    assert list(ours.state_dict()) == list(theirs)
    for name, value in ours.state_dict().items():
        assert torch.equal(value, theirs[name])
    usual.load_state_dict(ours.state_dict())
    for found, expected in zip(ours.all_weights, usual.all_weights, strict=True):
        assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


def test_positions_of_arguments_are_those_of_nn_lstm() -> None:
    positions = (3, 5, 2, False, True, 0.5, True, 2, "cpu", torch.float64)
    usual, ours = nn.LSTM(*positions), LSTM(*positions)
    for name in (
        "input_size",
        "hidden_size",
        "num_layers",
        "bias",
        "batch_first",
        "dropout",
        "bidirectional",
        "proj_size",
    ):
        assert getattr(ours, name) == getattr(usual, name)
    assert repr(ours) == "LSTM(3, 5, num_layers=2, bias=False, dropout=0.5, bidirectional=True, proj_size=2)"


def test_dropout_without_a_place_is_told() -> None:
    with pytest.warns(UserWarning, match="dropout=0.5 acts between layers, and there is only one"):
        LSTM(3, 5, dropout=0.5)


@pytest.mark.parametrize("guard", [torch.no_grad, torch.inference_mode])
def test_nothing_is_recorded_where_nothing_is_to_be(guard: Any) -> None:
    lstm = LSTM(3, 5, 2, bidirectional=True)
    x = torch.randn(2, 4, 3)
    with guard():
        output, (h, c) = lstm(x, lstm(x)[1])
    assert not any(part.requires_grad for part in (output, h, c))
    torch.testing.assert_close(output, lstm(x, lstm(x)[1])[0])


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_it_copies_pickles_saves_and_flattens() -> None:
    lstm = LSTM(3, 5, 2, proj_size=2, variational_dropout=0.5, weight_dropout=0.5).eval()
    x = torch.randn(2, 4, 3)
    file = io.BytesIO()
    torch.save(lstm.state_dict(), file)
    file.seek(0)
    loaded = LSTM(3, 5, 2, proj_size=2)
    loaded.load_state_dict(torch.load(file))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lstm.flatten_parameters()
    for twin in (copy.deepcopy(lstm), pickle.loads(pickle.dumps(lstm)), loaded):
        assert torch.equal(twin(x)[0], lstm(x)[0])


@pytest.mark.parametrize("kernel", ["fused", "vendor", "reference"])
def test_a_second_derivative_outside_of_the_compiler_is_exact(kernel: str) -> None:
    lstm = LSTM(2, 3, kernel=kernel, dtype=torch.float64)
    x = torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True)
    valid = torch.tensor([[True, True, True], [True, True, False]])
    assert torch.autograd.gradgradcheck(lambda x: lstm(x, valid=valid)[0], (x,))


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # PyTorch's own, within torch.func.jvp
def test_a_derivative_in_forward_mode_is_exact_or_refused() -> None:
    lstm = LSTM(2, 3, kernel="reference", dtype=torch.float64)
    x, tangent = torch.randn(2, 1, 4, 2, dtype=torch.float64)
    grid = ds.Grid.from_masks(reset=[[True, False, True, False]], valid=[[True] * 4])
    _, found = torch.func.jvp(lambda x: lstm.run(x, grid).output, (x,), (tangent,))
    ahead, behind = (lstm.run(x + sign * 1e-6 * tangent, grid).output for sign in (1, -1))
    torch.testing.assert_close(found, (ahead - behind) / 2e-6, rtol=1e-6, atol=1e-8)
    lstm.kernel = "vendor"
    with pytest.raises(ds.ShapeError, match='no forward-mode derivative .* use kernel="reference"'):
        torch.func.jvp(lambda x: lstm.run(x, grid).output, (x,), (tangent,))
