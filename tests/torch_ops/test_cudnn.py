"""Calls filled up for cuDNN give what they give as they are; which of them are filled up follows PyTorch's rule."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.torch import LSTM, batches
from drystone.torch_ops import lstm_call
from drystone.torch_ops.cudnn import NOTHING, Filling, filling_for_persistent, in_one_block
from drystone.torch_ops.vendor import Vendor
from tests.contract import strategies
from tests.torch_ops.test_vendor import all_results, assert_near, layer_of

H100 = SimpleNamespace(major=9, minor=0, multi_processor_count=132)
A100 = SimpleNamespace(major=8, minor=0, multi_processor_count=108)
RTX_3090 = SimpleNamespace(major=8, minor=6, multi_processor_count=82)
A30 = SimpleNamespace(major=8, minor=0, multi_processor_count=56)
T4 = SimpleNamespace(major=7, minor=5, multi_processor_count=40)
HALF = torch.float16


def call_on_a_gpu(rows: int, features: int, dtype: torch.dtype = HALF) -> Any:
    """Stands for a tensor [steps, rows, features] on a device that this machine may lack."""
    return SimpleNamespace(device=torch.device("cuda"), dtype=dtype, shape=(50, rows, features))


@pytest.mark.parametrize(
    ("gpu", "call", "units", "expected"),
    [
        (H100, call_on_a_gpu(13, 130), 256, Filling(3, 126)),
        (A100, call_on_a_gpu(128, 64), 1024, Filling(0, 64)),
        (H100, call_on_a_gpu(8, 256), 128, NOTHING),
        (H100, call_on_a_gpu(13, 130, torch.bfloat16), 256, NOTHING),
        (H100, call_on_a_gpu(13, 130, torch.float32), 256, NOTHING),
        (H100, call_on_a_gpu(129, 130), 256, NOTHING),
        (H100, call_on_a_gpu(13, 130), 200, NOTHING),
        (H100, call_on_a_gpu(13, 130), 1152, NOTHING),
        (RTX_3090, call_on_a_gpu(13, 130), 256, NOTHING),
        (A30, call_on_a_gpu(13, 130), 256, NOTHING),
        (T4, call_on_a_gpu(13, 130), 256, NOTHING),
    ],
)
def test_a_call_is_filled_up_where_that_reaches_a_persistent_algorithm(
    gpu: Any, call: Any, units: int, expected: Filling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: gpu)
    assert filling_for_persistent(call, units, is_projected=False) == expected
    assert filling_for_persistent(call, units, is_projected=True) == NOTHING


def test_nothing_is_filled_up_on_a_cpu() -> None:
    assert filling_for_persistent(torch.zeros(5, 13, 130, dtype=HALF), 256, is_projected=False) == NOTHING


@given(strategies.masks(), st.integers(0, 5), st.integers(1, 5), st.booleans())
def test_rows_and_features_of_zeros_change_nothing(
    masks: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]], rows: int, features: int, bias: bool
) -> None:
    layer = layer_of(masks, bias=bias)
    expected = all_results(Vendor(), layer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lstm_call, "filling_for_persistent", lambda *_, is_projected: Filling(rows, features))
        found = all_results(Vendor(), layer)
    assert_near(found, expected)


def test_weights_in_one_block_are_the_same_weights() -> None:
    parameters = [torch.randn(shape, requires_grad=True) for shape in ((8, 3), (8, 2), (8,), (8,))]
    found = in_one_block(parameters)
    ends = [part.data_ptr() + part.numel() * part.element_size() for part in found]
    assert [part.data_ptr() for part in found[1:]] == ends[:-1]
    assert all(part.is_contiguous() and torch.equal(part, given) for part, given in zip(found, parameters, strict=True))
    torch.stack([(part**2).sum() for part in found]).sum().backward()
    assert all(torch.equal(part.grad, 2 * part.detach()) for part in parameters if part.grad is not None)
    assert all(part.grad is not None for part in parameters)


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="cuDNN runs on a GPU")


@needs_gpu
def test_cudnn_takes_the_block_as_it_is(recwarn: pytest.WarningsRecorder) -> None:
    lstm = LSTM(3, 8, device="cuda")
    lstm(torch.zeros(2, 5, 3, device="cuda"))
    assert not [warning for warning in recwarn if "contiguous chunk" in str(warning.message)]


@needs_gpu
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-4), (torch.bfloat16, 0.05), (HALF, 0.01)], ids=str)
@pytest.mark.parametrize("hidden", [1, 64, 128, 200, 256])
def test_cudnn_gives_what_the_plain_loop_gives_on_the_host(dtype: torch.dtype, bound: float, hidden: int) -> None:
    rng = np.random.default_rng(hidden)
    seqs = ds.Sequences.from_arrays({"x": [rng.normal(size=(int(rng.integers(1, 40)), 12)) for _ in range(60)]})
    (batch,) = batches(ds.Loader(seqs, ds.Packed(sequences=60)), dtype=torch.float32)
    plain = LSTM(12, hidden, 2, bidirectional=True, kernel="reference")
    ours = LSTM(12, hidden, 2, bidirectional=True, device="cuda", dtype=dtype)
    ours.load_state_dict(plain.state_dict())
    expected = plain.run(batch["x"], batch.grid)
    found = ours.run(batch["x"].to("cuda", dtype), batch.grid)
    for values, truth in zip((found.output, *found.final), (expected.output, *expected.final), strict=True):
        assert (values.cpu().float() - truth).abs().max() <= bound
    expected.output.sum().backward()
    found.output.sum().backward()
    for name, parameter in plain.named_parameters():
        gradient = ours.get_parameter(name).grad
        assert parameter.grad is not None
        assert gradient is not None
        assert (gradient.cpu().float() - parameter.grad).norm() <= 10 * bound * parameter.grad.norm(), name


@needs_gpu
def test_a_run_never_waits_for_the_device() -> None:
    seqs = ds.Sequences.from_arrays({"x": [np.ones((length, 3), "f") for length in (4, 2, 3, 1)]})
    lstm = LSTM(3, 8, 2, bidirectional=True, device="cuda")
    batch = next(batches(ds.Loader(seqs, ds.Packed(rows=2, steps=6)), device="cuda"))
    lstm.run(batch["x"], batch.grid).output.sum().backward()  # memory and libraries are got here
    torch.cuda.set_sync_debug_mode("error")
    try:
        run = lstm.run(batch["x"], batch.grid)
        (run.output.sum() + run.final[1].sum()).backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
