"""Our own recurrence: any runs, any sizes, on every build that this processor runs; what it refuses, and in which words."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import drystone as ds
from drystone.torch import LSTM
from drystone.torch_ops import fused_native
from drystone.torch_ops.fused import Fused
from drystone.torch_ops.fused_operator import fused_layer, fused_layer_backward
from drystone.torch_ops.fused_passes import Inputs
from drystone.torch_ops.kernel import Layer
from drystone.torch_ops.reference import Reference
from drystone.torch_ops.runs import Runs
from tests.contract import strategies
from tests.torch_ops.test_vendor import CORNERS, all_results, assert_near, layer_of, masks_of, norm_errors

Array = np.ndarray[Any, Any]
BUILDS = fused_native.BUILDS
HIDDEN = [1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 47, 64, 65, 96, 100, 128, 130]


@pytest.fixture(params=BUILDS)
def build(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(fused_native, "chosen_build", lambda: request.param)
    return request.param


def run_on(build: str, layer: Layer) -> dict[str, Tensor]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused_native, "chosen_build", lambda: build)
        return all_results(Fused(), layer)


@settings(max_examples=200)
@given(
    masks=strategies.masks(),
    hidden=st.one_of(st.integers(1, 20), st.sampled_from(HIDDEN)),
    bias=st.booleans(),
    with_state=st.booleans(),
    seed=st.integers(0, 99),
    build=st.sampled_from(BUILDS),
)
def test_any_masks_in_float64(masks: tuple[Array, Array], build: str, **drawn: Any) -> None:
    layer = layer_of(masks, **drawn)
    assert_near(run_on(build, layer), all_results(Reference(), layer))


@pytest.mark.parametrize("corner", CORNERS.values(), ids=CORNERS)
@pytest.mark.parametrize("hidden", [1, 7, 8, 33])
def test_corners_in_float64(corner: tuple[list[str], list[str]], hidden: int, build: str) -> None:
    layer = layer_of(masks_of(corner), hidden=hidden)
    assert_near(all_results(Fused(), layer), all_results(Reference(), layer))


@pytest.mark.parametrize("rows", [1, 2, 5, 6, 7, 12, 13, 40, 300])
@pytest.mark.parametrize("hidden", [5, 31, 64, 100])
def test_more_rows_than_a_tile_holds(rows: int, hidden: int, build: str) -> None:
    rng = np.random.default_rng(rows)
    layer = layer_of((rng.random((rows, 9)) < 0.8, rng.random((rows, 9)) < 0.3), hidden=hidden)
    assert_near(all_results(Fused(), layer), all_results(Reference(), layer))


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("has_gaps", [False, True])
def test_float32_is_as_near_to_float64_as_the_plain_loop(hidden: int, has_gaps: bool, build: str) -> None:
    rng = np.random.default_rng(hidden)
    masks = rng.random((6, 40)) < (0.8 if has_gaps else 1.0), rng.random((6, 40)) < 0.1
    truth = all_results(Reference(), layer_of(masks, hidden=hidden))
    layer = layer_of(masks, hidden=hidden, dtype=torch.float32)
    usual = norm_errors(all_results(Reference(), layer), truth)
    for name, error in norm_errors(all_results(Fused(), layer), truth).items():
        assert error <= max(4 * usual[name], 32 * torch.finfo(torch.float32).eps), name


def test_what_is_not_finite_stays_in_its_sequence(build: str) -> None:
    valid, reset = np.ones((2, 4), dtype=bool), np.zeros((2, 4), dtype=bool)
    reset[:, 2] = True
    layer = layer_of((valid, reset))
    whole = Fused().run(layer).output
    for value in (float("nan"), float("inf"), 1e300):
        x = layer.x.detach().clone()
        x[0, 0] = value
        broken = Fused().run(layer._replace(x=x)).output
        assert torch.equal(broken[0, 2:], whole[0, 2:])
        assert torch.equal(broken[1], whole[1])
        expected = Reference().run(layer._replace(x=x)).output[0, :2]
        torch.testing.assert_close(broken[0, :2], expected, equal_nan=True)
        assert expected[0].isnan().all() or value == value


@pytest.mark.parametrize("value", [0.0, 1e-30, 1e-4, 1.0, 20.0, 100.0, 1e4, 1e30])
def test_gates_are_right_however_large_their_sums(value: float, build: str) -> None:
    layer = layer_of((np.ones((3, 4), dtype=bool), np.zeros((3, 4), dtype=bool)), hidden=5)
    x = (torch.sign(layer.x.detach()) * value).requires_grad_()
    layer = layer._replace(x=x)
    assert_near(all_results(Fused(), layer), all_results(Reference(), layer))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_same_threads_give_the_same_bits(threads: int) -> None:
    rng = np.random.default_rng(threads)
    layer = layer_of((rng.random((9, 30)) < 0.8, rng.random((9, 30)) < 0.1), hidden=64, dtype=torch.float32)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        first, second = (all_results(Fused(), layer) for _ in range(2))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert_near(first, all_results(Reference(), layer), 1e-4)


def test_one_thread_serves_where_pytorch_lends_none(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = layer_of((np.ones((9, 30), dtype=bool), np.zeros((9, 30), dtype=bool)), hidden=64)
    expected = all_results(Fused(), layer)
    monkeypatch.setattr(fused_native, "parallel_for", lambda: 0)
    assert_near(all_results(Fused(), layer), expected)


def test_pytorch_lends_its_threads() -> None:
    assert fused_native.parallel_for() != 0


def test_one_step_from_states() -> None:
    for reset in (False, True):
        layer = layer_of((np.ones((5, 1), dtype=bool), np.full((5, 1), reset)), hidden=9)
        assert_near(all_results(Fused(), layer), all_results(Reference(), layer))


@given(strategies.masks())
def test_runs_hold_every_valid_cell_once(masks: tuple[Array, Array]) -> None:
    valid, reset = masks
    runs = Runs.of(valid, reset)
    places = np.arange(valid.size) if runs.places is None else runs.places.numpy()
    assert places.tolist() == np.flatnonzero(valid).tolist()
    starts, found = runs.starts.tolist(), []
    assert starts[0] == 0
    assert starts[-1] == len(places)
    for first, last, row in zip(starts, starts[1:], runs.rows.tolist(), strict=False):
        assert len(set(places[first:last] // valid.shape[1])) == 1
        found.append((places[first:last].tolist(), row))
    assert found == expected_runs(valid, reset)


def expected_runs(valid: Array, reset: Array) -> list[tuple[list[int], int]]:
    """The runs, cell by cell: the cells of each, and the row from whose state it starts."""
    found: list[tuple[list[int], int]] = []
    for row in range(len(valid)):
        cells, source = [], row
        for step in range(valid.shape[1]):
            if reset[row, step]:
                found += [(cells, source)] if cells else []
                cells, source = [], -1
            if valid[row, step]:
                cells.append(row * valid.shape[1] + step)
        found += [(cells, source)] if cells else []
    return found


def test_a_graph_that_is_kept_goes_backward_again() -> None:
    layer = layer_of(masks_of(next(iter(CORNERS.values()))))
    output = Fused().run(layer).output.sin().sum()
    inputs = [layer.x, *(part for part in layer.weights if part is not None)]
    first = torch.autograd.grad(output, inputs, retain_graph=True)
    second = torch.autograd.grad(output, inputs)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(first, second, strict=True))
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        torch.autograd.grad(output, inputs)


def inputs_of(layer: Layer) -> Inputs:
    runs, (h, c) = layer.masks.runs, layer.state or (None, None)
    return Inputs(layer.x, h, c, *layer.weights[:4], runs.starts, runs.rows, runs.places)


@pytest.mark.parametrize("with_state", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_the_operators_are_well_made(with_state: bool, bias: bool) -> None:
    masks = masks_of(next(iter(CORNERS.values())))
    inputs = inputs_of(layer_of(masks, with_state=with_state, bias=bias))
    torch.library.opcheck(fused_layer, tuple(inputs))
    found = fused_layer(*(None if part is None else part.detach() for part in inputs))
    detached = [None if part is None else part.detach() for part in inputs]
    wanted = [part is not None and part.requires_grad for part in inputs[:7]]
    gradients = [torch.randn_like(found[0]), None]
    tests = ("test_schema", "test_faketensor")
    torch.library.opcheck(fused_layer_backward, (*gradients, *detached, *found[1:], wanted), test_utils=tests)


def test_function_transforms_reach_the_vendor() -> None:
    lstm = LSTM(3, 5, dtype=torch.float64)
    x = torch.randn(2, 4, 3, dtype=torch.float64)
    found = torch.func.grad(lambda x: lstm(x)[0].sin().sum())(x)
    x.requires_grad_()
    (expected,) = torch.autograd.grad(lstm(x)[0].sin().sum(), x)
    torch.testing.assert_close(found, expected)
    lstm.kernel = "fused"
    with pytest.raises(ds.ShapeError, match=r"function transforms \(torch.func\) cannot see through it"):
        torch.func.grad(lambda x: lstm(x)[0].sin().sum())(x.detach())


def refusal(layer: Layer) -> str:
    reason = Fused().refuses(layer)
    assert reason is not None
    return reason


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # PyTorch's own, at its first dual number
def test_what_it_cannot_run_it_refuses_in_words() -> None:
    masks = np.ones((2, 3), dtype=bool), np.zeros((2, 3), dtype=bool)
    assert Fused().refuses(layer_of(masks)) is None
    assert "no projection (proj_size)" in refusal(layer_of(masks, projected=2))
    assert "float32 and float64, and the input is torch.bfloat16" in refusal(layer_of(masks, dtype=torch.bfloat16))
    layer = layer_of(masks)
    assert "on cpu only, and the input is on meta" in refusal(layer._replace(x=layer.x.to("meta")))
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(layer.x.detach(), torch.ones_like(layer.x))
        assert "no forward-mode derivative" in refusal(layer._replace(x=dual))


EXPLAIN = """
import torch, drystone as ds
from drystone.torch import LSTM
lstm = LSTM(2, 8)
print(lstm.explain(ds.Grid.from_masks(reset=[[True]], valid=[[True]])))
print(tuple(lstm(torch.zeros(1, 1, 2))[0].shape))
"""
WITHOUT = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name.endswith("._native") else find(name, package)
"""


def explained(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
        check=False,
    )


@pytest.mark.parametrize(
    ("before", "environ", "words"),
    [
        ("", {"DRYSTONE_NATIVE": "0"}, "fused: refused: the native core is switched off by DRYSTONE_NATIVE=0"),
        (WITHOUT, {}, "fused: refused: the native core is not built: install a C++ compiler, then drystone again"),
    ],
)
def test_without_the_native_core_the_vendor_serves(before: str, environ: dict[str, str], words: str) -> None:
    lines = explained(before + EXPLAIN, **environ).stdout.splitlines()
    assert lines == [
        words,
        "vendor: runs, the first that can",
        "reference: not needed: vendor runs and comes first",
        "(1, 1, 8)",
    ]


def test_a_build_is_chosen_by_the_environment() -> None:
    code = "from drystone.torch_ops import fused_native; print(fused_native.chosen_build())"
    assert explained(code, DRYSTONE_SIMD="plain").stdout == "plain\n"
    assert fused_native.chosen_build() == os.environ.get("DRYSTONE_SIMD", BUILDS[0])
    assert "DRYSTONE_SIMD is 'sse9'; this processor runs" in explained(code, DRYSTONE_SIMD="sse9").stderr


def test_packed_sequences_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Layer] = []
    run = Fused.run
    monkeypatch.setattr(Fused, "run", lambda self, layer: calls.append(layer) or run(self, layer))
    packed = torch.nn.utils.rnn.pack_sequence([torch.randn(length, 3) for length in (5, 2, 4)], enforce_sorted=False)
    LSTM(3, 4)(packed)
    assert len(calls) == 1
    assert calls[0].masks.runs.starts.tolist() == [0, 5, 9, 11]


def test_explain_names_it() -> None:
    shown = LSTM(2, 3).explain(ds.Grid.from_masks(reset=[[True]], valid=[[True]]))
    assert shown.splitlines()[0] == "fused: runs, the first that can"
