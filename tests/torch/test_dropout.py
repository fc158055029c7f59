"""Variational dropout by sequence, and dropout of recurrent weights."""

import warnings
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence

import drystone as ds
from drystone.core.dropout import kept_units
from drystone.core.layouts import Bucketed, Layout, Packed, Padded, Stateful
from drystone.torch import LSTM, batches
from drystone.torch.drop import drop
from tests.parity.one_at_a_time import random_arrays, relative_error

LENGTHS = [5, 1, 9, 3, 3, 12, 2]
WHOLE = [Padded(3), Bucketed(num_buckets=2, batch_size=3), Packed(rows=2, steps=16), Packed(sequences=4)]
FRACTION, SEED, EPOCH = 0.4, 11, 2


def lstm_with_dropout(bidirectional: bool = False) -> LSTM:
    torch.manual_seed(0)
    chosen = {"variational_dropout": FRACTION, "dropout_seed": SEED, "dtype": torch.float64}
    return LSTM(6, 4, 2, bidirectional=bidirectional, **chosen)


def one_at_a_time(lstm: LSTM, number: int, x: Tensor, epoch: int) -> Tensor:
    """The output of one sequence, through nn.LSTM layer by layer, with the units that are dropped multiplied by 0."""
    for layer in range(lstm.num_layers):
        plain = nn.LSTM(x.shape[1], lstm.hidden_size, bidirectional=lstm.bidirectional, dtype=torch.float64)
        named = {name: lstm.get_parameter(name.replace("_l0", f"_l{layer}")) for name in plain.state_dict()}
        kept = kept_units(np.array([number]), layer, x.shape[1], fraction=FRACTION, seed=SEED, epoch=epoch)[0]
        dropped = x * torch.from_numpy(kept) / (1 - FRACTION)
        x, _ = torch.func.functional_call(plain, named, (dropped,))
    return x


def over_grids(lstm: LSTM, arrays: list[Tensor], layout: Layout, epoch: int) -> list[Tensor]:
    """The output of each sequence, over batches that carry their state."""
    seqs = ds.Sequences.from_arrays({"x": [array.numpy() for array in arrays]})
    pieces: list[list[Tensor]] = [[] for _ in arrays]
    state = None
    for batch in batches(ds.Loader(seqs, layout, seed=5)):
        run = lstm.run(batch["x"], batch.grid, state, epoch=epoch)
        state = run.state if isinstance(layout, Stateful) else None
        spans = batch.spans
        for row, start, stop, number in zip(spans.row, spans.start, spans.stop, spans.sequence, strict=True):
            pieces[number].append(run.output[row, start:stop])
    return [torch.cat(found) for found in pieces]


@pytest.mark.parametrize("layout", [*WHOLE, Stateful(rows=2, steps=4)], ids=str)
@torch.no_grad()
def test_outputs_equal_one_sequence_at_a_time_with_the_same_units_dropped(layout: Layout) -> None:
    lstm = lstm_with_dropout()
    arrays = random_arrays(LENGTHS, 6, torch.float64, seed=0)
    for number, found in enumerate(over_grids(lstm, arrays, layout, EPOCH)):
        assert relative_error(found, one_at_a_time(lstm, number, arrays[number], EPOCH)) <= 1e-12


@pytest.mark.parametrize("layout", WHOLE, ids=str)
def test_gradients_do_too_in_both_directions(layout: Layout) -> None:
    lstm = lstm_with_dropout(bidirectional=True)
    arrays = random_arrays(LENGTHS, 6, torch.float64, seed=0)
    parameters = list(lstm.parameters())
    found = sum(output.sin().sum() for output in over_grids(lstm, arrays, layout, EPOCH))
    expected = sum(one_at_a_time(lstm, *pair, EPOCH).sin().sum() for pair in enumerate(arrays))
    for ours, theirs in zip(*(torch.autograd.grad(loss, parameters) for loss in (found, expected)), strict=True):
        assert relative_error(ours, theirs) <= 1e-12


def test_it_changes_from_epoch_to_epoch_and_rests_outside_of_training() -> None:
    lstm, plain = lstm_with_dropout(), LSTM(6, 4, 2, dtype=torch.float64)
    plain.load_state_dict(lstm.state_dict())
    arrays = random_arrays(LENGTHS, 6, torch.float64, seed=0)
    first, again, second = (over_grids(lstm, arrays, Padded(3), epoch)[0] for epoch in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    lstm.eval()
    assert torch.equal(over_grids(lstm, arrays, Padded(3), 0)[0], over_grids(plain, arrays, Padded(3), 0)[0])


GRID = ds.Grid.from_masks(reset=[[True, False]], valid=[[True, True]])
X = torch.zeros(1, 2, 6, dtype=torch.float64)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda lstm: lstm(X), r"masks do not say it: in training, call lstm.run\(x, batch.grid, epoch=...\)"),
        (lambda lstm: lstm(pack_sequence([X[0]])), "in training, call lstm.run"),
        (lambda lstm: lstm.run(X, GRID), "must know the epoch in training: pass epoch=batch.epoch"),
        (lambda lstm: lstm.run(X, lstm.prepare(GRID)), "must know the epoch in training"),
        (lambda lstm: lstm.run(X, lstm.prepare(GRID), epoch=1), "pass the epoch to lstm.prepare"),
        (lambda lstm: lstm.run(X, lstm.prepare(GRID, epoch=-1)), "epoch must be a whole number"),
        (lambda lstm: LSTM(6, 4, bidirectional=True).double().run(X, lstm.prepare(GRID)), "prepared for 1 directions"),
        (
            lambda lstm: LSTM(6, 4).double().run(X, lstm.prepare(GRID, epoch=0)),
            "dropout of another LSTM; use this LSTM's",
        ),
        (
            lambda lstm: lstm.run(X, LSTM(6, 4, variational_dropout=0.4).prepare(GRID, epoch=0)),
            "dropout of another LSTM; use this LSTM's",
        ),
        (
            lambda lstm: lstm.eval().run(X, LSTM(6, 4, 2, device="meta").prepare(GRID)),
            "prepared on meta and the weights are on cpu; prepare it anew",
        ),
        (lambda lstm: LSTM(6, 4, dropout_seed=0.5), "dropout_seed must be a whole number"),
    ],
)
def test_what_it_cannot_know_is_asked_for(call: Any, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match=words):
        call(lstm_with_dropout())


def test_weight_dropout_drops_recurrent_weights_once_a_call_and_in_training_only() -> None:
    lstm = LSTM(3, 64, weight_dropout=0.5, dtype=torch.float64)
    plain = LSTM(3, 64, dtype=torch.float64)
    x = torch.randn(2, 7, 3, dtype=torch.float64)
    torch.manual_seed(1)
    output = lstm(x)[0]
    torch.manual_seed(1)
    weight = drop(lstm.weight_hh_l0, 0.5)
    plain.load_state_dict(lstm.state_dict() | {"weight_hh_l0": weight.detach()})
    torch.testing.assert_close(output, plain(x)[0], rtol=1e-12, atol=1e-14)
    assert not torch.equal(lstm(x)[0], output), "anew at every call"
    (gradient,) = torch.autograd.grad(output.sum(), lstm.weight_hh_l0)
    assert torch.equal(gradient == 0, weight == 0)
    lstm.eval()
    plain.load_state_dict(lstm.state_dict())
    assert torch.equal(lstm(x)[0], plain(x)[0])


def test_all_dropouts_are_off_at_first() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lstm = LSTM(3, 4, 2)
    assert lstm.dropout == lstm.variational_dropout == lstm.weight_dropout == 0
