"""drystone.torch.LSTM: masks, carried state, drop-in manners, and what it refuses."""

import copy
import pickle
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence

import drystone as ds
from drystone.torch import LSTM, batches, pool
from tests.contract import strategies
from tests.contract.oracle import Weights, over_grid

Array = np.ndarray[Any, Any]


def weights_of(lstm: nn.Module, suffix: str = "_l0") -> Weights:
    found = {name: value.detach().numpy() for name, value in lstm.named_parameters()}
    bias = found["bias_ih" + suffix] + found["bias_hh" + suffix]
    return Weights(found["weight_ih" + suffix], found["weight_hh" + suffix], bias)


def state_of(lstm: LSTM, rows: int) -> tuple[Tensor, Tensor]:
    layers = lstm.num_layers * (2 if lstm.bidirectional else 1)
    shape = (layers, rows, lstm.hidden_size)
    return torch.randn(shape, dtype=torch.float64), torch.randn(shape, dtype=torch.float64)


@given(strategies.masks(), st.integers(0, 100), st.booleans())
def test_any_masks_give_what_the_oracle_gives(masks: tuple[Array, Array], seed: int, with_state: bool) -> None:
    valid, reset = masks
    torch.manual_seed(seed)
    lstm = LSTM(3, 4, dtype=torch.float64)
    x = torch.randn(*valid.shape, 3, dtype=torch.float64)
    state = state_of(lstm, len(valid)) if with_state else None
    h, c = (np.zeros((len(valid), 4)),) * 2 if state is None else (state[0][0].numpy(), state[1][0].numpy())
    expected = over_grid(x.numpy(), valid, reset, h, c, weights_of(lstm))
    output, (h_n, c_n) = lstm(x, state, reset=torch.from_numpy(reset), valid=torch.from_numpy(valid))
    found = (output.detach().numpy(), h_n[0].detach().numpy(), c_n[0].detach().numpy())
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


@given(strategies.masks(), st.integers(0, 100))
def test_content_of_invalid_cells_never_matters(masks: tuple[Array, Array], seed: int) -> None:
    valid, reset = (torch.from_numpy(mask) for mask in masks)
    torch.manual_seed(seed)
    lstm = LSTM(3, 4, 2, dtype=torch.float64)
    x = torch.randn(*valid.shape, 3, dtype=torch.float64)

    def outcome(filler: float) -> list[Tensor]:
        lstm.zero_grad()
        filled = torch.where(valid[..., None], x, filler)
        output, (h, c) = lstm(filled, reset=reset, valid=valid)
        (output.sin().sum() + h.sum() + c.sum()).backward()
        return [output, h, c, *(parameter.grad.clone() for parameter in lstm.parameters())]

    for clean, junk in zip(outcome(0.0), outcome(float("nan")), strict=True):
        assert torch.equal(clean, junk)


@given(st.integers(1, 6), st.lists(st.integers(1, 7), min_size=1, max_size=5), st.integers(1, 2))
def test_state_carried_over_batches_equals_one_run(rows: int, cuts: list[int], layers: int) -> None:
    torch.manual_seed(rows)
    lstm = LSTM(2, 5, layers, dtype=torch.float64)
    x = torch.randn(rows, sum(cuts), 2, dtype=torch.float64)
    reset = torch.rand(rows, sum(cuts)) < 0.2
    valid = torch.rand(rows, sum(cuts)) < 0.8
    whole, (h, c) = lstm(x, reset=reset, valid=valid)
    state, parts = None, []
    for part, some_reset, some_valid in zip(*(whole_.split(cuts, 1) for whole_ in (x, reset, valid)), strict=True):
        output, state = lstm(part, state, reset=some_reset, valid=some_valid)
        parts.append(output)
    torch.testing.assert_close(torch.cat(parts, 1), whole, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(state, (h, c), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("with_state", [False, True])
@pytest.mark.parametrize("kernel", ["auto", "reference"])
def test_without_masks_it_is_nn_lstm(bidirectional: bool, batch_first: bool, with_state: bool, kernel: str) -> None:
    torch.manual_seed(1)
    usual = nn.LSTM(3, 5, 2, batch_first=batch_first, bidirectional=bidirectional, dtype=torch.float64)
    torch.manual_seed(1)
    ours = LSTM(3, 5, 2, batch_first=batch_first, bidirectional=bidirectional, kernel=kernel, dtype=torch.float64)
    for name, parameter in usual.named_parameters():
        assert torch.equal(parameter, ours.get_parameter(name)), "the same seed gives the same weights"
    x = torch.randn(4, 6, 3, dtype=torch.float64)
    state = state_of(ours, 4 if batch_first else 6) if with_state else None
    torch.testing.assert_close(ours(x, state), usual(x, state), rtol=1e-12, atol=1e-14)


def test_state_dicts_load_both_ways() -> None:
    usual, ours = nn.LSTM(3, 5, 2, bidirectional=True), LSTM(3, 5, 2, bidirectional=True)
    ours.load_state_dict(usual.state_dict())
    usual.load_state_dict(ours.state_dict())
    assert list(usual.state_dict()) == list(ours.state_dict())


def test_modules_copy_pickle_and_show_themselves() -> None:
    lstm = LSTM(3, 5, 2, bidirectional=True)
    x = torch.randn(2, 4, 3)
    for twin in (copy.deepcopy(lstm), pickle.loads(pickle.dumps(lstm))):
        assert torch.equal(twin(x)[0], lstm(x)[0])
    assert repr(lstm) == "LSTM(3, 5, num_layers=2, bidirectional=True)"


def test_a_run_equals_the_call_with_masks() -> None:
    seqs = ds.Sequences.from_arrays({"x": [np.random.default_rng(k).normal(size=(k + 1, 3)) for k in range(7)]})
    lstm = LSTM(3, 4, 2, bidirectional=True, dtype=torch.float64)
    for batch in batches(ds.Loader(seqs, ds.Packed(rows=2, steps=8))):
        run = lstm.run(batch["x"], batch.grid)
        output, state = lstm(batch["x"], reset=batch.reset, valid=batch.valid)
        assert torch.equal(output, run.output)
        assert torch.equal(state[0], run.state[0])
        turned = LSTM(3, 4, 2, bidirectional=True, batch_first=False, dtype=torch.float64)
        turned.load_state_dict(lstm.state_dict())
        mirrored = turned.run(batch["x"].transpose(0, 1), batch.grid)
        assert torch.equal(mirrored.output.transpose(0, 1), run.output)
        assert torch.equal(mirrored.final[1], run.final[1])
        assert run.final[0] is run.final_h
        assert run.final is run.final, "c is worked out once"


def test_dropout_acts_between_layers_in_training_only() -> None:
    lstm, plain = LSTM(3, 4, 2, dropout=1.0), LSTM(3, 4, 2)
    plain.load_state_dict(lstm.state_dict())
    x = torch.randn(2, 5, 3)
    assert not torch.equal(lstm(x)[0], plain(x)[0])
    torch.testing.assert_close(lstm(x)[0], plain(torch.zeros(2, 5, 3))[0] * 0 + lstm(2 * x)[0])
    lstm.eval()
    assert torch.equal(lstm(x)[0], plain(x)[0])


def test_the_held_cell_state_is_exact_in_float32() -> None:
    lstm = LSTM(3, 64)
    x = torch.randn(8, 40, 3)
    valid = torch.arange(40) < torch.tensor([40, 1, 7, 39, 20, 20, 3, 12])[:, None]
    _, (h, c) = lstm(x, valid=valid)
    for row, length in enumerate(valid.sum(1)):
        _, (h_alone, c_alone) = lstm(x[row : row + 1, :length])
        torch.testing.assert_close(c[:, row], c_alone[:, 0], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(h[:, row], h_alone[:, 0], rtol=1e-5, atol=1e-6)
    longer = torch.cat([x, torch.full((8, 60, 3), 9.0)], 1)
    _, (_, held) = lstm(longer, valid=torch.cat([valid, torch.zeros(8, 60, dtype=torch.bool)], 1))
    torch.testing.assert_close(held, c, rtol=1e-5, atol=1e-6)


def test_under_autocast_it_takes_what_linear_layers_give_and_its_own_state() -> None:
    linear, lstm = nn.Linear(3, 3), LSTM(3, 4)
    x = torch.randn(2, 5, 3)
    valid = torch.arange(5) < torch.tensor([5, 3])[:, None]
    with torch.autocast("cpu", torch.bfloat16):
        seen = linear(x)
        output, state = lstm(seen, valid=valid)
        again, _ = lstm(seen, state, valid=valid)
    assert seen.dtype == torch.bfloat16
    assert output.dtype == again.dtype == state[0].dtype == state[1].dtype == torch.bfloat16
    half = copy.deepcopy(lstm).to(torch.bfloat16)
    torch.testing.assert_close(output, half(seen, valid=valid)[0])
    output.float().sum().backward()
    assert lstm.weight_hh_l0.grad.dtype == torch.float32


@pytest.mark.parametrize("kernel", ["auto", "reference"])
def test_under_autocast_types_are_those_of_nn_lstm(kernel: str) -> None:
    usual, ours = nn.LSTM(3, 8, batch_first=True), LSTM(3, 8, kernel=kernel)
    ours.load_state_dict(usual.state_dict())
    x, state = torch.randn(2, 5, 3), (torch.randn(1, 2, 8), torch.randn(1, 2, 8))
    with torch.autocast("cpu", torch.bfloat16):
        (output, after), (output_usual, after_usual) = ours(x, state), usual(x, state)
        assert LSTM(3, 4, dtype=torch.float64)(x)[0].dtype == torch.float64, "as linear layers: float64 stays"
    assert output.dtype == output_usual.dtype
    assert [part.dtype for part in after] == [part.dtype for part in after_usual]
    torch.testing.assert_close(output, output_usual, rtol=0.05, atol=0.02)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_near_float32(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    lstm = LSTM(3, 8, bidirectional=True)
    x = torch.randn(3, 6, 3).to(dtype)
    valid = torch.arange(6) < torch.tensor([6, 1, 4])[:, None]
    expected, _ = lstm(x.float(), valid=valid)
    half = copy.deepcopy(lstm).to(dtype)
    for kernel in ("vendor", "reference"):
        half.kernel = kernel
        torch.testing.assert_close(half(x, valid=valid)[0].float(), expected, rtol=0.05, atol=0.02)


def under_autocast(lstm: LSTM, x: Tensor) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        lstm(x)


X = torch.zeros(2, 3, 4)
ON = torch.ones(2, 3, dtype=torch.bool)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: LSTM(4, 5)(torch.zeros(2, 3, 5)), r"shape \(2, 3, 5\); expected \(2, 3, 4\)"),
        (lambda: LSTM(4, 5)(X.long()), "x is torch.int64 on cpu and the weights are torch.float32"),
        (lambda: LSTM(4, 5)(X.double()), "torch.float64"),
        (lambda: LSTM(4, 5)(X[0, 0]), r"shape \(4,\); expected \[rows, steps, features\], .* or \[steps, features\]"),
        (lambda: LSTM(4, 5)(X[None]), r"shape \(1, 2, 3, 4\); expected \[rows, steps, features\]"),
        (lambda: LSTM(4, 5)(X[0, :, :3]), r"shape \(1, 3, 3\); expected \(1, 3, 4\)"),
        (
            lambda: LSTM(4, 5)(X[0], (torch.zeros(1, 1, 5),) * 2),
            r"h of the state has shape \(1, 1, 5\); expected \(1, 5\): layers × directions, units",
        ),
        (
            lambda: LSTM(4, 5, proj_size=2)(X, (torch.zeros(1, 2, 2),) * 2),
            r"c of the state has shape \(1, 2, 2\); expected \(1, 2, 5\)",
        ),
        (lambda: LSTM(4, 5)(X, tuple(torch.zeros(2, 1, 2, 5).long())), "h of the state is torch.int64"),
        (
            lambda: LSTM(4, 5)(X, tuple(torch.zeros(2, 1, 2, 5, device="meta"))),
            "h of the state is torch.float32 on meta",
        ),
        (lambda: LSTM(4, 5)(X, valid=ON.to("meta")), "valid is on meta; x is on cpu"),
        (lambda: LSTM(4, 5)(X.to("meta")), "x is torch.float32 on meta and the weights are torch.float32 on cpu"),
        (lambda: under_autocast(LSTM(4, 5), X.long()), "x is torch.int64 on cpu"),
        (lambda: LSTM(4, 5)(X[:, :0]), "at least one"),
        (lambda: LSTM(4, 5)(X, valid=ON.float()), "valid is torch.float32"),
        (lambda: LSTM(4, 5)(X, reset=ON[:, :2]), r"reset is torch.bool of shape \(2, 2\); expected .*\(2, 3\)"),
        (
            lambda: LSTM(4, 5)(X, (torch.zeros(1, 3, 5),) * 2),
            r"h of the state has shape \(1, 3, 5\); expected \(1, 2, 5\)",
        ),
        (
            lambda: LSTM(4, 5)(X, (torch.zeros(1, 2, 5), torch.zeros(1, 2, 5).double())),
            "c of the state is torch.float64",
        ),
        (lambda: LSTM(4, 5, bidirectional=True)(X, reset=~ON), "sequence 0 in row 0 starts before this one"),
        (lambda: LSTM(4, 5, kernel="fast"), "got 'fast'"),
        (lambda: LSTM(4, 5)(X.numpy()), "x is a ndarray; pass a tensor or a PackedSequence"),
        (lambda: LSTM(4, 5)(pack_sequence([X[0]]), valid=ON), "PackedSequence says itself .* pass no masks"),
        (lambda: LSTM(4, 5)(pack_sequence([X[0, :, 0]])), r"shape \(3,\); expected \(3, 4\)"),
        (lambda: LSTM(4, 5)(pack_sequence([X[0].double()])), "x is torch.float64"),
        (
            lambda: LSTM(4, 5)(pack_sequence([X[0]]), (torch.zeros(1, 2, 5),) * 2),
            r"h of the state has shape \(1, 2, 5\); expected \(1, 1, 5\)",
        ),
        (lambda: LSTM(4, 5)(X, torch.zeros(1, 2, 5)), "state is a Tensor; expected a tuple of two tensors"),
        (lambda: LSTM(4, 5)(X, ON), "Masks are passed by name: reset=, valid="),
        (lambda: LSTM(4, 5).run(X, None), "grid is a NoneType; pass the grid of a batch: batch.grid"),
        (lambda: LSTM(4, 5).prepare(X), "grid is a Tensor; pass the grid of a batch"),
        (lambda: LSTM(4, 5).explain(X), "grid is a Tensor"),
        (lambda: pool(X, None, "last"), "grid is a NoneType"),
        (lambda: LSTM(4, 5)(X, valid=ON.numpy()), "valid is a ndarray; pass a torch.bool tensor"),
        (lambda: LSTM(4.0, 5), "input_size must be a whole number"),
        (lambda: LSTM(4, 0), "hidden_size must be a whole number of at least 1"),
        (lambda: LSTM(4, 5, dropout=1.5), "dropout must lie between 0 and 1; got 1.5"),
        (lambda: LSTM(4, 5, dropout=True), "dropout must lie between 0 and 1; got True"),
        (
            lambda: LSTM(4, 5, variational_dropout=1.0),
            "variational_dropout must lie between 0 and 1, and below 1; got 1.0",
        ),
        (lambda: LSTM(4, 5, weight_dropout=-0.1), "weight_dropout must lie between 0 and 1, and below 1; got -0.1"),
        (lambda: LSTM(4, 5, proj_size=5), "proj_size must be less than hidden_size, 5; got 5"),
        (lambda: LSTM(4, 5, proj_size=-1), "proj_size must be a whole number of at least 0; got -1"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(call: Any, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # what users see: they run without these checks
    with pytest.raises(ds.ShapeError, match=words):
        call()


def test_a_backward_direction_refuses_sequences_of_several_batches() -> None:
    seqs = ds.Sequences.from_arrays({"x": [np.zeros((5, 4), "f")]})
    first, second = batches(ds.Loader(seqs, ds.Stateful(rows=1, steps=3)))
    lstm = LSTM(4, 5, bidirectional=True)
    with pytest.raises(ds.ShapeError, match="backward direction needs every sequence whole .* goes on after this one"):
        lstm.run(first["x"], first.grid)
    with pytest.raises(ds.ShapeError, match="backward direction needs every sequence whole"):
        lstm.explain(first)
    with pytest.raises(ds.ShapeError, match="sequence 0 in row 0 starts before this one"):
        lstm.run(second["x"], second.grid)
