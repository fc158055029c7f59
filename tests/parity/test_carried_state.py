"""Sequences that go on from batch to batch: the forward pass is exact, and so are the final states."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import drystone as ds
from drystone.core.plan import Plan
from drystone.torch import LSTM, to_tensors
from tests.contract import strategies
from tests.parity.one_at_a_time import random_arrays, relative_error
from tests.parity.series import OnRows, on_rows
from tests.parity.test_lstm_over_grids import pair

stateful_plans = st.builds(lambda lengths, layout: layout.plan(lengths), strategies.lengths, strategies.stateful)
layer_counts, kernels = st.integers(1, 3), st.sampled_from(["fused", "vendor", "reference"])


def forward(lstm: LSTM, seqs: ds.Sequences, plan: Plan) -> tuple[list[Tensor], dict[int, tuple[Tensor, Tensor]]]:
    """Returns the outputs of each sequence, from all batches; and the final states of those that end."""
    state, final = None, {}
    pieces: list[list[Tensor]] = [[] for _ in range(len(seqs))]
    for index in range(plan.num_batches):
        batch = to_tensors(ds.collate(seqs, plan, index))
        run = lstm.run(batch["x"], batch.grid, state)
        state, spans = run.state, batch.spans
        for row, start, stop, number in zip(spans.row, spans.start, spans.stop, spans.sequence, strict=True):
            pieces[int(number)].append(run.output[row, start:stop])
        for end, number in enumerate(batch.ends.sequence.tolist()):
            final[number] = run.final[0][:, end, None], run.final[1][:, end, None]
    return [torch.cat([lstm.first_weight.new_empty(0, lstm.hidden_size), *found]) for found in pieces], final


@given(st.one_of(strategies.carried_plans(), stateful_plans), layer_counts, kernels)
@torch.no_grad()
def test_forward_over_batches_equals_one_sequence_at_a_time(plan: Plan, layers: int, kernel: str) -> None:
    reference, lstm = pair(5, layers, False, True, kernel, torch.float64)
    arrays = random_arrays(plan.lengths, 3, torch.float64, seed=3)
    outputs, final = forward(lstm, ds.Sequences.from_arrays({"x": [array.numpy() for array in arrays]}), plan)
    dropped_from = dict(zip(*(plan.dropped[name].to_pylist() for name in ("sequence", "offset")), strict=True))
    assert final.keys() == set(range(len(arrays))) - dropped_from.keys()
    for number, found in enumerate(outputs):
        expected, last = reference(arrays[number][None])
        kept = expected[0][: dropped_from.get(number)]
        assert len(found) == len(kept)
        assert relative_error(found, kept) <= 1e-12
        for part, wanted in zip(final.get(number, last), last, strict=True):
            assert relative_error(part, wanted) <= 1e-12


@given(on_rows(remainder=st.just("keep")), layer_counts, kernels)
@torch.no_grad()
def test_series_on_rows_equal_one_pass_over_each_part(made: OnRows, layers: int, kernel: str) -> None:
    """Cut into parts with a lead or whole, end to end or side by side on one axis of time."""
    reference, lstm = pair(4, layers, False, True, kernel, torch.float64)
    outputs, _ = forward(lstm, made.seqs, made.layout.plan(made.seqs, seed=5))
    for part, found in zip(made.seqs, outputs, strict=True):
        assert relative_error(found, reference(torch.from_numpy(part["x"])[None])[0][0]) <= 1e-12


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(1, 4), strategies.stateful, layer_counts, kernels
)
@torch.no_grad()
def test_parts_with_a_lead_back_to_the_start_equal_one_pass_over_the_series(
    lengths: list[int], parts: int, layout: ds.Stateful, layers: int, kernel: str
) -> None:
    reference, lstm = pair(4, layers, False, True, kernel, torch.float64)
    arrays = random_arrays(lengths, 3, torch.float64, seed=4)
    seqs = ds.Sequences.from_arrays({"x": [array.numpy() for array in arrays]}).cut(parts, lead=max(lengths))
    whole = ds.Stateful(layout.rows, layout.steps, order=layout.order)
    outputs, _ = forward(lstm, seqs, whole.plan(seqs))
    first, stop = seqs.scored_steps()
    for number, array in enumerate(arrays):
        scored = [outputs[part][first[part] : stop[part]] for part in (seqs.source == number).nonzero()[0]]
        assert relative_error(torch.cat(scored), reference(array[None])[0][0]) <= 1e-12
