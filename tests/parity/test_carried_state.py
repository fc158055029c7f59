"""Sequences that go on from batch to batch: the forward pass is exact, and so are the final states."""

import torch
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.core.plan import Plan
from drystone.torch import to_tensors
from tests.contract import strategies
from tests.parity.one_at_a_time import random_arrays, relative_error
from tests.parity.test_lstm_over_grids import pair

stateful_plans = st.builds(lambda lengths, layout: layout.plan(lengths), strategies.lengths, strategies.stateful)


@given(st.one_of(strategies.carried_plans(), stateful_plans), st.integers(1, 2), st.sampled_from(["auto", "reference"]))
@torch.no_grad()
def test_forward_over_batches_equals_one_sequence_at_a_time(plan: Plan, layers: int, kernel: str) -> None:
    reference, lstm = pair(5, layers, False, True, kernel, torch.float64)
    arrays = random_arrays(plan.lengths, 3, torch.float64, seed=3)
    seqs = ds.Sequences.from_arrays({"x": [array.numpy() for array in arrays]})
    state = None
    pieces: dict[int, list[torch.Tensor]] = {number: [] for number in range(len(arrays))}
    for index in range(plan.num_batches):
        batch = to_tensors(ds.collate(seqs, plan, index))
        run = lstm.run(batch["x"], batch.grid, state)
        state = run.state
        spans = batch.spans
        for row, start, stop, number in zip(spans.row, spans.start, spans.stop, spans.sequence, strict=True):
            pieces[int(number)].append(run.output[row, start:stop])
        for end, number in enumerate(batch.ends.sequence.tolist()):
            _, (h, c) = reference(arrays[number][None])
            assert relative_error(run.final[0][:, end], h[:, 0]) <= 1e-12
            assert relative_error(run.final[1][:, end], c[:, 0]) <= 1e-12
    dropped_from = dict(zip(*(plan.dropped[name].to_pylist() for name in ("sequence", "offset")), strict=True))
    for number, found in pieces.items():
        expected = reference(arrays[number][None])[0][0][: dropped_from.get(number)]
        assert sum(len(piece) for piece in found) == len(expected)
        if found:
            assert relative_error(torch.cat(found), expected) <= 1e-12
