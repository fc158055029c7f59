"""Any masks and any carried state, through the whole layer: what each sequence gives alone, gradients of states too."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from drystone.core.grid import Grid
from drystone.torch import LSTM
from tests.contract import strategies
from tests.parity.one_at_a_time import relative_error

Array = np.ndarray[Any, Any]
State = tuple[Tensor, Tensor]


class Found(NamedTuple):
    """Output [rows, steps, units], state [layers, rows, units], and h and c of each sequence, [layers, sequences, units]."""

    output: Tensor
    state: State
    final: State


def one_at_a_time(usual: nn.LSTM, x: Tensor, state: State, valid: Array, reset: Array, *, one_run: bool) -> Found:
    """Runs each row's sequences alone, without their invalid cells.

    Args:
        one_run: whether a row goes on from the state passed in, in both directions; with two directions, sequences
            are whole otherwise, and the state after a row is that after its last one forward, and its first one backward.
    """
    output = [[torch.zeros(usual.hidden_size * (1 + usual.bidirectional)).to(x)] * x.shape[1] for _ in x]
    before, after, final = list(zip(*(part.split(1, dim=1) for part in state), strict=True)), [], []
    for row, passed in enumerate(before):
        h, c = passed
        starts = [0, *np.flatnonzero(reset[row]).tolist(), x.shape[1]]
        backward: list[State] = []
        for place, (start, stop) in enumerate(pairwise(starts)):
            if place:
                h, c = torch.zeros_like(h), torch.zeros_like(c)
            cells = start + np.flatnonzero(valid[row, start:stop])
            if not len(cells):
                continue
            found, (h, c) = usual(x[row, cells][None], (h, c))
            for step, value in zip(cells, found[0], strict=True):
                output[row][step] = value
            final.append((h[:, 0], c[:, 0]))
            backward.append((h, c))
        if usual.bidirectional and not one_run:
            first = backward[0] if backward else passed
            h, c = (forward_and_backward(*pair) for pair in zip((h, c), first, strict=True))
        after.append((h, c))
    h, c = (torch.cat(parts, 1) for parts in zip(*after, strict=True))
    none = h[:, :0], c[:, :0]
    finals = tuple(torch.stack(parts, 1) for parts in zip(*final, strict=True)) if final else none
    return Found(torch.stack([torch.stack(steps) for steps in output]), (h, c), finals)


def forward_and_backward(forward: Tensor, backward: Tensor) -> Tensor:
    is_forward = torch.arange(len(forward)) % 2 == 0
    return torch.where(is_forward[:, None, None], forward, backward)


def results(found: Found, inputs: list[Tensor]) -> list[Tensor]:
    """All of them, then the gradients of a loss that they all move."""
    values = [found.output, *found.state, *found.final]
    loss = torch.stack([(number * value).sin().sum() for number, value in enumerate(values, 1)]).sum()
    loss = loss + 0 * inputs[0].sum()  # where nothing runs, nothing has a gradient
    gradients = torch.autograd.grad(loss, inputs, allow_unused=True, materialize_grads=True)
    return [*(value.detach() for value in values), *gradients]


def check(masks: tuple[Array, Array], hidden: int, layers: int, both: bool, one_run: bool, kernel: str) -> None:
    valid, reset = masks
    if one_run:
        reset = np.zeros_like(reset)
    elif both:  # whole sequences: a row's first one starts here
        reset = reset | (np.cumsum(valid, axis=1) * valid == 1)
    chosen = {"num_layers": layers, "batch_first": True, "bidirectional": both, "dtype": torch.float64}
    usual, ours = nn.LSTM(3, hidden, **chosen), LSTM(3, hidden, kernel=kernel, **chosen)
    ours.load_state_dict(usual.state_dict())
    draw = [torch.randn(shape).double() for shape in ((*valid.shape, 3), *ours.sizes.state_shapes(len(valid)))]
    x, h, c = (part.requires_grad_() for part in draw)
    expected = one_at_a_time(usual, x, (h, c), valid, reset, one_run=one_run)
    if one_run and both:
        output, state = ours(x, (h, c), valid=torch.from_numpy(valid))
        found, expected = Found(output, state, state), expected._replace(final=expected.state)
    else:
        run = ours.run(x, Grid.from_masks(reset=reset, valid=valid), (h, c))
        found = Found(run.output, run.state, run.final)
    pairs = zip(
        results(found, [x, h, c, *ours.parameters()]), results(expected, [x, h, c, *usual.parameters()]), strict=True
    )
    for ours_, theirs in pairs:
        assert ours_.shape == theirs.shape
        assert relative_error(ours_, theirs) <= 1e-12 or (ours_ - theirs).abs().max() <= 1e-14


flags = st.booleans()
kernels = st.sampled_from(["fused", "vendor", "reference"])


@settings(max_examples=150)
@given(strategies.masks(), st.sampled_from([1, 2, 7, 8]), st.integers(1, 3), flags, flags, kernels)
def test_any_masks(
    masks: tuple[Array, Array], hidden: int, layers: int, both: bool, one_run: bool, kernel: str
) -> None:
    check(masks, hidden, layers, both, one_run, kernel)


@pytest.mark.parametrize("hidden", [31, 64, 128, 200])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("kernel", ["fused", "vendor", "reference"])
def test_more_units(hidden: int, both: bool, kernel: str) -> None:
    rng = np.random.default_rng(hidden)
    check((rng.random((3, 9)) < 0.8, rng.random((3, 9)) < 0.3), hidden, 2, both, False, kernel)
