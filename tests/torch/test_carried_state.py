"""Truncated backpropagation: how far gradients go back, and what is carried."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.torch import LSTM, CarriedState, TensorBatch, batches
from drystone.torch.plain_batch import from_plain, to_plain

FEATURES, HIDDEN = 2, 3


def layers(num_layers: int = 1) -> LSTM:
    torch.manual_seed(0)
    return LSTM(FEATURES, HIDDEN, num_layers=num_layers, dtype=torch.float64)


def series(*lengths: int) -> ds.Sequences:
    rng = np.random.default_rng(1)
    return ds.Sequences.from_arrays({"x": [rng.standard_normal((length, FEATURES)) for length in lengths]})


def forward(lstm: LSTM) -> Any:
    return lambda batch, state: lstm(batch["x"], state, reset=batch.reset, valid=batch.valid)


def gradients(lstm: LSTM, loss: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.autograd.grad(loss, list(lstm.parameters())))


@given(length=st.integers(1, 23), steps=st.integers(1, 6), times=st.integers(1, 5), num_layers=st.integers(1, 2))
def test_gradients_go_back_as_far_as_asked(length: int, steps: int, times: int, num_layers: int) -> None:
    """Each batch's loss, against one run over just the steps that its gradient may see."""
    lstm, whole = layers(num_layers), series(length)
    x = torch.from_numpy(whole[0]["x"])[None]
    carried = CarriedState(backprop_steps=times * steps)
    for number, batch in enumerate(batches(ds.Loader(whole, ds.Stateful(rows=1, steps=steps)))):
        output, carried = carried.run(forward(lstm), batch)
        stop, first = min((number + 1) * steps, length), max(number + 1 - times, 0) * steps
        with torch.no_grad():
            _, before = lstm(x[:, :first]) if first else (None, None)
        expected, _ = lstm(x[:, first:stop], before)
        expected = expected[:, number * steps - first :]
        found = output[batch.valid].reshape_as(expected)
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)
        weights = torch.arange(1.0, 1 + expected.numel(), dtype=torch.float64).reshape_as(expected)
        pairs = zip(gradients(lstm, (found * weights).sum()), gradients(lstm, (expected * weights).sum()), strict=True)
        for mine, theirs in pairs:
            torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-12)


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=8), times=st.integers(1, 4), rows=st.integers(1, 3))
def test_outputs_are_those_of_one_sequence_at_a_time(lengths: list[int], times: int, rows: int) -> None:
    lstm, seqs = layers(2), series(*lengths)
    carried = CarriedState(backprop_steps=2 * times)
    found = [torch.full((length, HIDDEN), torch.nan, dtype=torch.float64) for length in lengths]
    with torch.no_grad():
        for batch in batches(ds.Loader(seqs, ds.Stateful(rows=rows, steps=2))):
            output, carried = carried.run(forward(lstm), batch)
            spans = batch.spans
            for row, start, stop, sequence, offset in zip(
                spans.row, spans.start, spans.stop, spans.sequence, spans.offset, strict=True
            ):
                found[sequence][offset : offset + stop - start] = output[row, start:stop]
        for number, outputs in enumerate(found):
            expected, _ = lstm(torch.from_numpy(seqs[number]["x"])[None])
            torch.testing.assert_close(outputs, expected[0], rtol=1e-12, atol=1e-14)


def test_the_state_that_is_carried_comes_from_the_weights_of_now() -> None:
    """What runs once more runs with new weights; its state is handed on, not that of long ago."""
    lstm, seqs = layers(), series(8)
    loader = iter(batches(ds.Loader(seqs, ds.Stateful(rows=1, steps=2))))
    carried = CarriedState(backprop_steps=4)
    _, carried = carried.run(forward(lstm), next(loader))
    with torch.no_grad():
        for parameter in lstm.parameters():
            parameter.mul_(1.5)
        second = next(loader)
        output, carried = carried.run(forward(lstm), second)
        expected, _ = lstm(torch.from_numpy(seqs[0]["x"])[None, :4])
        _, before = lstm(torch.from_numpy(seqs[0]["x"])[None, :2])
    torch.testing.assert_close(output, expected[:, 2:])
    torch.testing.assert_close(carried.before[0], before[0])
    assert carried.lead == (second,)


def test_nothing_is_carried_where_all_rows_start_anew() -> None:
    seen: list[Any] = []

    def counting(batch: TensorBatch, state: Any) -> tuple[int, torch.Tensor]:
        seen.append(state)
        return len(seen), torch.zeros(1, 2)

    carried = CarriedState(backprop_steps=9)
    for batch in batches(ds.Loader(series(3, 3, 3, 3), ds.Stateful(rows=2, steps=3))):
        _, carried = carried.run(counting, batch)
    assert seen == [None, None]


@pytest.mark.parametrize("backprop_steps", [None, 4])
def test_a_row_that_waits_over_a_whole_batch_keeps_its_state(backprop_steps: int | None) -> None:
    """Days 3 and 4 are a gap of the first series, and just then the second one begins."""
    x = np.random.default_rng(2).standard_normal((6, FEATURES))
    seqs = ds.Sequences.from_arrays({"day": [[1, 2, 5, 6], [3, 4]], "x": [x[:4], x[4:]]})
    lstm, carried = layers(), CarriedState(backprop_steps=backprop_steps)
    found = []
    for batch in batches(ds.Loader(seqs, ds.Stateful(rows=None, steps=2, align="day", order="given"))):
        output, carried = carried.run(forward(lstm), batch)
        found.append(output[0][batch.valid[0]])
    expected, _ = lstm(torch.from_numpy(x[:4])[None])
    torch.testing.assert_close(torch.cat(found), expected[0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("steps", [0, -2, True])
def test_steps_that_are_none(steps: int) -> None:
    with pytest.raises(ds.ConfigError, match="backprop_steps must be a whole number ≥ 1"):
        CarriedState(backprop_steps=steps)


@pytest.mark.parametrize(("asked", "nearest"), [(3, "Give 4"), (9, "Give 8 or 12")])
def test_a_number_of_steps_that_is_no_multiple(asked: int, nearest: str) -> None:
    lstm = layers()
    (batch,) = batches(ds.Loader(series(4), ds.Stateful(rows=1, steps=4)))
    with pytest.raises(ds.ConfigError, match=f"multiple of the steps of a batch, 4; got {asked}. {nearest}"):
        CarriedState(backprop_steps=asked).run(forward(lstm), batch)


def test_what_was_saved_goes_on_to_the_bit() -> None:
    lstm, loader = layers(2), ds.Loader(series(9, 5), ds.Stateful(rows=2, steps=2))
    outputs = []
    carried = again = CarriedState(backprop_steps=6)
    for batch in batches(loader):
        output, carried = carried.run(forward(lstm), batch)
        repeated, again = again.run(forward(lstm), batch)
        assert torch.equal(output, repeated)
        again = CarriedState(backprop_steps=6).loaded(again.state_dict(), torch.device("cpu"))
        outputs.append(output)
    assert len(outputs) == 5


def test_a_batch_of_any_fields_is_the_same_after_it_was_plain_data() -> None:
    seqs = ds.Sequences.from_arrays(
        {
            "x": [np.arange(6, dtype=np.float32).reshape(3, 2), np.ones((1, 2), np.float32)],
            "when": [np.array(["2026-01-01", "2026-01-02", "2026-01-03"], "M8[s]"), np.array(["2026-01-01"], "M8[s]")],
            "is_on": [[True, False, True], [True]],
            "word": [["a", "bc", ""], ["d"]],
        },
        {"label": ["yes", "no"], "size": [3, 1]},
    )
    loader = ds.Loader(seqs.ahead("x", [1], name="next"), ds.Stateful(rows=2, steps=3))
    loader.epoch = 5
    (batch,) = loader
    again = from_plain(to_plain(batch))
    assert (again.field_names, again.epoch) == (batch.field_names, 5)
    for name in batch.field_names:
        np.testing.assert_array_equal(again[name], batch[name])
        assert again[name].dtype == batch[name].dtype
    for name in ("valid", "reset", "scored", "sequence"):
        np.testing.assert_array_equal(getattr(again, name), getattr(batch, name))
