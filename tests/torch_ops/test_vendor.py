"""The vendor's kernel gives what the plain loop gives, on any masks; on oneDNN too, and exactly 0 where it must."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from drystone.torch_ops.kernel import Kernel, Layer, Masks, Weights
from drystone.torch_ops.reference import Reference
from drystone.torch_ops.vendor import Vendor
from tests.contract import strategies

Array = np.ndarray[Any, Any]
HIDDEN = [1, 7, 8, 31, 64, 128, 200]
CORNERS = {
    "a start at column 0, in the middle, at the last column, and two in a row": (
        ["######", "######"],
        ["0.2..5", "..23.."],
    ),
    "invalid cells at the end, in the middle, and a whole row": (["##..", "#.##", "...."], ["0...", "0...", "...."]),
    "invalid cells first, under a state": (["..##", ".#.#"], ["....", "...3"]),
    "a start on an invalid cell, also the last": (["#.#.", "...."], [".1.3", ".1.."]),
    "a reserved cell before each start": (["##.##", "#.#.#"], ["0..3.", "0.2.4"]),
}


def layer_of(
    masks: tuple[Array, Array],
    *,
    hidden: int = 5,
    projected: int = 0,
    bias: bool = True,
    with_state: bool = True,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
) -> Layer:
    torch.manual_seed(seed)
    valid, reset = masks
    units = projected or hidden
    draw = partial(torch.randn, dtype=torch.float64)
    shapes: list[tuple[int, ...] | None] = [(4 * hidden, 3), (4 * hidden, units)]
    shapes += [(4 * hidden,)] * 2 if bias else [None] * 2
    shapes.append((units, hidden) if projected else None)
    weights = [None if shape is None else draw(*shape) / hidden**0.5 for shape in shapes]
    x = torch.where(torch.from_numpy(valid)[..., None], draw(*valid.shape, 3), 0.0)
    state = (draw(len(valid), units), draw(len(valid), hidden))
    parts = [x, *state, *(part for part in weights if part is not None)]
    leaves = iter([part.to(dtype).requires_grad_() for part in parts])
    x, state = next(leaves), (next(leaves), next(leaves))
    found = Weights(*(None if part is None else next(leaves) for part in weights))
    return Layer(x, state if with_state else None, found, Masks.of(valid, reset, x.device))


def all_results(kernel: Kernel, layer: Layer) -> dict[str, Tensor]:
    """Output, row state and cell states, and the gradients of all that goes in."""
    inputs = [layer.x, *(layer.state or ()), *(part for part in layer.weights if part is not None)]
    result = kernel.run(layer)
    valid = torch.ones(layer.x.shape[:2], dtype=torch.bool) if layer.masks.valid is None else layer.masks.valid
    loss = result.output.sin().sum() + (result.h**2).sum() + (1.5 * result.c).cos().sum()
    found = {"output": result.output, "h": result.h, "c": result.c}
    if result.cells is not None:
        found["cells"] = torch.where(valid[..., None], result.cells(), 0.0)
        loss = loss + (0.7 * found["cells"]).sin().sum()
    gradients = torch.autograd.grad(loss, inputs)
    found |= {f"gradient {number}": gradient for number, gradient in enumerate(gradients)}
    return {name: value.detach() for name, value in found.items()}


def like_reference(layer: Layer) -> dict[str, Tensor]:
    """The plain loop's results, where it tells the cell states only where the vendor's kernel does."""

    class Told(Reference):
        def run(self, layer: Layer) -> Any:
            result = super().run(layer)
            return result if layer.masks.arrangement.is_zeroed_on_the_way else result._replace(cells=None)

    return all_results(Told(), layer)


def assert_near(found: dict[str, Tensor], expected: dict[str, Tensor], bound: float = 1e-12) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert (found[name] - value).abs().max() <= bound * value.abs().max().clamp(min=1e-3), name


@settings(max_examples=150)
@given(
    masks=strategies.masks(),
    hidden=st.integers(1, 9),
    projected=st.booleans(),
    bias=st.booleans(),
    with_state=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_masks_in_float64(masks: tuple[Array, Array], hidden: int, projected: bool, **settings: Any) -> None:
    layer = layer_of(masks, hidden=hidden, projected=hidden // 2 if projected else 0, **settings)
    assert_near(all_results(Vendor(), layer), like_reference(layer))


def masks_of(corner: tuple[list[str], list[str]]) -> tuple[Array, Array]:
    valid, reset = (np.array([list(row) for row in drawn]) for drawn in corner)
    return valid == "#", reset != "."


@pytest.mark.parametrize("corner", CORNERS.values(), ids=CORNERS)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_corners_in_float64(corner: tuple[list[str], list[str]], hidden: int) -> None:
    layer = layer_of(masks_of(corner), hidden=hidden)
    assert_near(all_results(Vendor(), layer), like_reference(layer))


def norm_errors(found: dict[str, Tensor], truth: dict[str, Tensor]) -> dict[str, float]:
    return {
        name: float((found[name].double() - value).norm() / value.norm()) if value.norm() else float(found[name].norm())
        for name, value in truth.items()
    }


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("has_gaps", [False, True])
def test_onednn_in_float32_is_as_near_to_float64_as_the_plain_loop(hidden: int, has_gaps: bool) -> None:
    rng = np.random.default_rng(hidden)
    masks = rng.random((6, 40)) < (0.8 if has_gaps else 1.0), rng.random((6, 40)) < 0.1
    truth = like_reference(layer_of(masks, hidden=hidden))
    layer = layer_of(masks, hidden=hidden, dtype=torch.float32)
    usual = norm_errors(like_reference(layer), truth)
    for name, error in norm_errors(all_results(Vendor(), layer), truth).items():
        assert error <= max(4 * usual[name], 32 * torch.finfo(torch.float32).eps), name


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this build of PyTorch has no oneDNN")
def test_float32_on_a_cpu_reaches_onednn() -> None:
    layer = layer_of(masks_of(next(iter(CORNERS.values()))), dtype=torch.float32)
    with torch.profiler.profile() as profile:
        Vendor().run(layer)
    assert any("mkldnn_rnn_layer" in event.key for event in profile.key_averages())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_zeroed_state_is_exactly_zero(hidden: int, dtype: torch.dtype) -> None:
    valid, reset = np.ones((2, 3), dtype=bool), np.zeros((2, 3), dtype=bool)
    valid[:, 2], reset[:, 2] = False, True
    layer = layer_of((valid, reset), hidden=hidden, dtype=dtype)
    assert layer.state is not None
    layer = layer._replace(state=(10 * layer.state[0], 100 * layer.state[1]))
    result = Vendor().run(layer)
    assert (result.output[:, :2] != 0).any(dim=2).all()
    assert (result.h == 0).all()
    assert (result.c == 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_sequence_never_feels_what_lay_before_it(hidden: int, dtype: torch.dtype) -> None:
    """To the bit: outputs and input gradients of the second sequence, and all weight gradients, if it alone is scored."""
    valid, reset = np.ones((3, 12), dtype=bool), np.zeros((3, 12), dtype=bool)
    reset[:, 7] = True
    layer = layer_of((valid, reset), hidden=hidden, dtype=dtype)
    other = torch.where(torch.arange(12)[:, None] < 7, 50.0, layer.x.detach()).requires_grad_()
    assert layer.state is not None

    def outcome(layer: Layer) -> list[Tensor]:
        output = Vendor().run(layer).output[:, 7:]
        x_gradient, *gradients = torch.autograd.grad(output.sin().sum(), [layer.x, *(layer.state or ())[:1]])
        assert (x_gradient[:, :7] == 0).all()
        assert all((gradient == 0).all() for gradient in gradients)
        return [output, x_gradient[:, 7:]]

    changed = layer._replace(x=other, state=(layer.state[0] * 3, layer.state[1] - 2))
    for ours, theirs in zip(outcome(layer), outcome(changed), strict=True):
        assert torch.equal(ours, theirs)


def test_cell_states_are_those_of_the_run_whatever_came_after() -> None:
    layer = layer_of(masks_of(next(iter(CORNERS.values()))), dtype=torch.float32)
    result = Vendor().run(layer)
    assert result.cells is not None
    expected = result.cells().detach()
    with torch.no_grad():
        for part in (*layer.weights, *(layer.state or ())):
            if part is not None:
                part.mul_(2)
    with torch.no_grad(), torch.autocast("cpu"):
        again = result.cells()
    assert again.requires_grad
    assert torch.equal(again, expected)


def test_a_state_that_is_not_finite_is_never_hidden() -> None:
    """The later sequences of its row are NaN, not wrong; other rows do not notice."""
    valid, reset = np.ones((2, 4), dtype=bool), np.zeros((2, 4), dtype=bool)
    reset[:, 2] = True
    layer = layer_of((valid, reset))
    x = layer.x.detach().clone()
    x[0, 0] = float("nan")
    broken, whole = (Vendor().run(layer._replace(x=found)).output for found in (x, layer.x))
    assert broken[0].isnan().all()
    assert torch.equal(broken[1], whole[1])
    assert Reference().run(layer._replace(x=x)).output[0, 2:].isfinite().all()


class NoHostNumbers(TorchDispatchMode):
    """Refuses tensors made of Python's numbers: on a GPU their copy waits for the device."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert func is not torch.ops.aten.lift_fresh.default
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("corner", CORNERS.values(), ids=CORNERS)
def test_a_call_brings_no_numbers_from_the_host(corner: tuple[list[str], list[str]]) -> None:
    layer = layer_of(masks_of(corner))
    layer.masks.complete()
    with NoHostNumbers():
        result = Vendor().run(layer)
        if result.cells is not None:
            result.cells()
