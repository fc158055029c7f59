"""The fused kernel among PyTorch's other mechanisms: as every other kernel behaves there."""

import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.func import functional_call

from drystone import Grid
from drystone.torch import LSTM


def lstm_of(kernel: str) -> LSTM:
    torch.manual_seed(0)
    return LSTM(5, 5, kernel=kernel, dtype=torch.float64)


def inputs() -> Tensor:
    return torch.randn(3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def carried(lstm: LSTM, x: Tensor) -> Tensor:
    _, state = lstm(x)
    return lstm(x, state)[0]


def on_its_own_output(lstm: LSTM, x: Tensor) -> Tensor:
    return lstm(lstm(x)[0])[0]


def with_tied_biases(lstm: LSTM, x: Tensor) -> Tensor:
    lstm.bias_hh_l0 = lstm.bias_ih_l0
    return lstm(x)[0]


def with_nothing_at_invalid_cells(lstm: LSTM, x: Tensor) -> Tensor:
    valid = torch.ones(x.shape[:2], dtype=torch.bool)
    valid[0, 2:] = False
    return lstm(torch.where(valid[..., None], x, float("nan")), valid=valid)[0]


def gradients(kernel: str, run: Callable[[LSTM, Tensor], Tensor], *, create_graph: bool) -> list[Tensor]:
    lstm = lstm_of(kernel)
    output = run(lstm, inputs())
    return list(torch.autograd.grad(output.sin().sum(), list(lstm.parameters()), create_graph=create_graph))


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("run", [carried, on_its_own_output, with_tied_biases, with_nothing_at_invalid_cells])
def test_gradients_are_those_of_the_plain_loop(run: Callable[[LSTM, Tensor], Tensor], create_graph: bool) -> None:
    found = gradients("fused", run, create_graph=create_graph)
    expected = gradients("reference", run, create_graph=create_graph)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("run", [carried, on_its_own_output])
def test_second_derivatives_through_several_calls(run: Callable[[LSTM, Tensor], Tensor]) -> None:
    found: list[list[Tensor]] = []
    for kernel in ("fused", "reference"):
        lstm, x = lstm_of(kernel), inputs().requires_grad_()
        (first,) = torch.autograd.grad(run(lstm, x).sin().sum(), x, create_graph=True)
        found.append(list(torch.autograd.grad(first.square().sum(), [x, *lstm.parameters()])))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-12)


def transposed_state() -> tuple[Tensor, Tensor]:
    h, c = (torch.randn(1, 5, 3, dtype=torch.float64).transpose(1, 2).requires_grad_() for _ in range(2))
    return h, c


def test_states_may_be_laid_otherwise() -> None:
    h, c = transposed_state()
    found = torch.autograd.grad(lstm_of("fused")(inputs(), (h, c))[0].sin().sum(), [h, c])
    expected = torch.autograd.grad(lstm_of("reference")(inputs(), (h, c))[0].sin().sum(), [h, c])
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("steps", [1, 4])
def test_states_have_memory_of_their_own(steps: int) -> None:
    output, (h, c) = lstm_of("fused")(inputs()[:, :steps])
    kept = output.detach().clone()
    for part in (h, c):
        assert part.untyped_storage().nbytes() == part.numel() * part.element_size()
    with torch.no_grad():
        h.zero_()
        c.zero_()
    assert torch.equal(output, kept)
    output.sum().backward()


def test_gradients_in_batches() -> None:
    x = inputs()
    found: list[Tensor] = []
    for kernel in ("fused", "reference"):
        lstm = lstm_of(kernel)
        output = lstm(x)[0]
        directions = torch.stack([torch.ones_like(output), torch.arange(output.numel()).view_as(output).double()])
        weight = lstm.first_weight
        found += torch.autograd.grad(output, [weight], directions, is_grads_batched=True)
    torch.testing.assert_close(found[0], found[1], rtol=1e-12, atol=1e-12)


def test_backward_within_autocast() -> None:
    found: list[list[Tensor]] = []
    for kernel in ("fused", "reference"):
        torch.manual_seed(0)
        lstm, x = LSTM(5, 5, kernel=kernel), inputs().float()
        h, c = (torch.zeros(1, 3, 5, requires_grad=True) for _ in range(2))
        output = lstm(x, (h, c))[0].sum()
        with torch.autocast("cpu", enabled=kernel == "fused"):
            found.append(list(torch.autograd.grad(output, [h, c, *lstm.parameters()])))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


class NoGradient(torch.autograd.Function):
    """A function that returns no gradient."""

    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_ctx: Any, *_gradients: Any) -> None:
        return None


def test_no_gradient_at_all() -> None:
    lstm = lstm_of("fused")
    output = NoGradient.apply(lstm(inputs())[0])
    assert torch.autograd.grad(output.sum(), lstm.first_weight, create_graph=True, allow_unused=True) == (None,)


def test_backward_frees_what_went_in() -> None:
    x = inputs() + 0.0
    seen = weakref.ref(x)
    loss = lstm_of("fused")(x)[0].sum()
    loss.backward()
    del x
    assert seen() is None
    assert loss.isfinite()


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # PyTorch's own, at its first dual number
def test_tangents_of_weights_and_states_reach_the_vendor() -> None:
    lstm, x = lstm_of("auto"), inputs()
    state = torch.zeros(1, 3, 5, dtype=torch.float64), torch.zeros(1, 3, 5, dtype=torch.float64)
    with torch.no_grad(), forward_ad.dual_level():
        dual = forward_ad.make_dual(state[0], torch.ones_like(state[0]))
        assert forward_ad.unpack_dual(lstm_of("reference")(x, (dual, state[1]))[0]).tangent is not None
        lstm.kernel = "fused"
        with pytest.raises(ValueError, match="no forward-mode derivative"):
            lstm(x, (dual, state[1]))
        weights = {name: forward_ad.make_dual(part, torch.ones_like(part)) for name, part in lstm.named_parameters()}
        with pytest.raises(ValueError, match="no forward-mode derivative"):
            functional_call(lstm, weights, (x,))


def test_modes_and_other_devices_leave_later_calls_alone() -> None:
    lstm, x = lstm_of("auto"), torch.randn(7, 11, 5, dtype=torch.float64)  # a shape that no other test has
    expected = lstm_of("reference")(x)[0]
    with torch.device("meta"):
        torch.testing.assert_close(lstm(x)[0], expected)
    with torch._subclasses.FakeTensorMode(allow_non_fake_inputs=True) as mode:
        assert lstm(mode.from_tensor(x))[0].shape == (7, 11, 5)
    torch.testing.assert_close(lstm(x)[0], expected)


class Shown(Tensor):
    """A subclass of tensors."""


def test_subclasses_of_tensors_reach_the_vendor() -> None:
    x = inputs().as_subclass(Shown)
    torch.testing.assert_close(lstm_of("auto")(x)[0].as_subclass(Tensor), lstm_of("reference")(inputs())[0])
    with pytest.raises(ValueError, match="a mode or a subclass of tensors"):
        lstm_of("fused")(x)


def test_a_grid_prepared_in_inference_serves_in_training() -> None:
    grid = Grid.from_masks(reset=[[True, False, True]], valid=[[True, True, True]])
    lstm = lstm_of("auto")
    with torch.inference_mode():
        prepared = lstm.prepare(grid)
    lstm.run(inputs()[:1, :3], prepared).output.sum().backward()
    assert lstm.first_weight.grad is not None


def test_parameters_that_want_no_gradient() -> None:
    lstm = lstm_of("fused")
    for name, part in lstm.named_parameters():
        part.requires_grad_(name.startswith("bias"))
    lstm(inputs())[0].sum().backward()
    assert [part.grad is not None for part in lstm.parameters()] == [False, False, True, True]
    assert isinstance(lstm.first_weight, nn.Parameter)
