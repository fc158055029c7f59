"""Exports to PyTorch and ONNX give what the run itself predicts, whatever it was trained with."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import drystone as ds
from tests.train.export.runs import CLASSES, TOLERANCE, Array, own_probabilities, padded, some_data, trained

FORMS = list(itertools.product(["last", "mean", "max", "mean+max"], [False, True], [1, 2]))
HIDDEN = 5

State = tuple[Array, Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A run, and its exports in use."""

    run: ds.Run
    torch: nn.Module
    onnx: Any

    @property
    def num_states(self) -> int:
        lstm: Any = self.torch.lstm
        return lstm.num_layers * (2 if lstm.bidirectional else 1)

    def in_torch(self, x: Array, lengths: Array, state: State | None = None) -> tuple[Array, State]:
        start = None if state is None else tuple(map(torch.from_numpy, state))
        with torch.inference_mode():
            logits, (h, c) = self.torch(torch.from_numpy(x), torch.tensor(lengths), start)
        return logits.softmax(dim=1).numpy(), (h.numpy(), c.numpy())

    def in_onnx(self, x: Array, lengths: Array, state: State | None = None) -> tuple[Array, State]:
        h, c = state or 2 * [np.zeros((self.num_states, len(x), HIDDEN), "float32")]
        inputs = {"x": x, "lengths": lengths, "h0": h, "c0": c}
        probability, h, c = self.onnx.run(["probability", "hn", "cn"], inputs)
        return probability, (h, c)

    def ways(self) -> Iterator[Any]:
        yield self.in_torch
        yield self.in_onnx


def loaded(folder: Path) -> Any:
    """The classifier of an exported folder, by its own source."""
    spec = spec_from_file_location("exported_model", folder / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load()


def opened(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # others would wait busily, on the cores of other tests
    return onnxruntime.InferenceSession(path, options)


def exported(folder: Path, **form: Any) -> Exported:
    run = trained(some_data(), folder / "run", hidden_size=HIDDEN, **form)
    run.export(folder / "m.torch", to="torch")
    run.export(folder / "m.onnx", to="onnx")
    return Exported(run=run, torch=loaded(folder / "m.torch"), onnx=opened(folder / "m.onnx"))


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Callable[[tuple[str, bool, int]], Exported]:
    """Makes each form once, in whatever order the tests ask for them."""

    @cache
    def made_once(form: tuple[str, bool, int]) -> Exported:
        pooling, bidirectional, num_layers = form
        folder = tmp_path_factory.mktemp("exported")
        return exported(folder, pooling=pooling, bidirectional=bidirectional, num_layers=num_layers)

    return made_once


@pytest.fixture(scope="module", params=FORMS, ids=lambda form: f"{form[0]}, {1 + form[1]} directions, {form[2]} layers")
def made(request: pytest.FixtureRequest, exports: Callable[[tuple[str, bool, int]], Exported]) -> Exported:
    return exports(request.param)


@settings(max_examples=6)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    seed=st.integers(0, 99),
    filler=st.sampled_from([0.0, -1e6, np.inf, np.nan]),
    more_steps=st.integers(0, 2),
)
def test_outputs_are_those_of_the_run(
    made: Exported, lengths: list[int], seed: int, filler: float, more_steps: int
) -> None:
    seqs = some_data(lengths, seed)
    expected = own_probabilities(made.run, seqs)
    for way in made.ways():
        found, _ = way(padded(seqs, filler, more_steps), seqs.lengths)
        np.testing.assert_allclose(found, expected, atol=TOLERANCE)


def test_the_sequences_differ(made: Exported) -> None:
    assert np.ptp(own_probabilities(made.run, some_data()), axis=0).max() > 0.01


def test_states_agree(made: Exported) -> None:
    seqs, rng = some_data(), np.random.default_rng(0)
    start = tuple(rng.uniform(-1, 1, (2, made.num_states, len(seqs), HIDDEN)).astype("float32"))
    (p, state), (other_p, other_state) = (way(padded(seqs, 0.0), seqs.lengths, start) for way in made.ways())
    assert np.abs(p - own_probabilities(made.run, seqs)).max() > 1e-3  # the state matters
    np.testing.assert_allclose(p, other_p, atol=TOLERANCE)
    np.testing.assert_allclose(state, other_state, atol=TOLERANCE)


@pytest.mark.parametrize("num_layers", [1, 2])
def test_two_halves_with_the_state_between_are_one_whole(num_layers: int, tmp_path: Path) -> None:
    made = exported(tmp_path, pooling="last", bidirectional=False, num_layers=num_layers)
    seqs = some_data((6, 9, 5, 5, 8))
    x, first = padded(seqs, 0.0), np.full(len(seqs), 4)
    for way in made.ways():
        whole, whole_state = way(x, seqs.lengths)
        half, state = way(x[:, :4], first)
        assert np.abs(half - whole).max() > 1e-4
        found, found_state = way(x[:, 4:], seqs.lengths - 4, state)
        np.testing.assert_allclose(found, whole, atol=TOLERANCE)
        np.testing.assert_allclose(found_state, whole_state, atol=TOLERANCE)


def test_the_onnx_outputs_of_steps_are_those_of_the_last_layer(made: Exported) -> None:
    seqs = some_data()
    x, zeros = padded(seqs, 7.0), np.zeros((made.num_states, len(seqs), HIDDEN), "float32")
    [output] = made.onnx.run(["output"], {"x": x, "lengths": seqs.lengths, "h0": zeros, "c0": zeros})
    lstm, mean, spread = made.torch.lstm, made.torch.mean, made.torch.spread
    for row, length in enumerate(seqs.lengths.tolist()):
        alone = ((torch.from_numpy(x[row, :length]) - mean) / spread).float()
        with torch.inference_mode():
            np.testing.assert_allclose(output[row, :length], lstm(alone)[0], atol=TOLERANCE)
        assert not output[row, length:].any()


def test_all_steps_are_real_where_no_lengths_are_given(made: Exported) -> None:
    seqs = some_data((4, 4, 4))
    x = torch.from_numpy(padded(seqs, 0.0))
    with torch.inference_mode():
        found = made.torch(x)[0].softmax(dim=1)
    np.testing.assert_allclose(found, own_probabilities(made.run, seqs), atol=TOLERANCE)


def test_the_weights_are_those_of_the_run_and_named_as_in_torch(tmp_path: Path) -> None:
    made = exported(tmp_path, num_layers=2)
    state, own = made.torch.state_dict(), made.run.model.state_dict()
    names = nn.LSTM(3, HIDDEN, 2, bidirectional=True).state_dict().keys()
    assert state.keys() == {"mean", "spread", "head.weight", "head.bias", *(f"lstm.{name}" for name in names)}
    assert all(torch.equal(value, own[name]) for name, value in state.items())


def test_weights_in_float64_stay_so_in_torch_and_become_float32_in_onnx(tmp_path: Path) -> None:
    seqs = some_data()
    run = trained(seqs, tmp_path / "run", num_layers=2)
    run.model.double()
    about = run.export(tmp_path / "m.torch", to="torch")
    assert (about["outputs"]["logits"]["dtype"], about["inputs"]["state"]["dtype"]) == ("float64", "float64")
    model = loaded(tmp_path / "m.torch")
    with torch.inference_mode():
        found = model(torch.from_numpy(padded(seqs, 0.0)), torch.tensor(seqs.lengths))[0].softmax(dim=1)
    np.testing.assert_allclose(found, own_probabilities(run, seqs), atol=1e-14)
    run.export(tmp_path / "m.onnx", to="onnx")
    zeros = np.zeros((4, len(seqs), HIDDEN), "float32")
    inputs = {"x": padded(seqs, 0.0), "lengths": seqs.lengths, "h0": zeros, "c0": zeros}
    [found] = opened(tmp_path / "m.onnx").run(["probability"], inputs)
    np.testing.assert_allclose(found, own_probabilities(run, seqs), atol=TOLERANCE)


def test_the_torch_module_can_be_trained_further(tmp_path: Path) -> None:
    seqs = some_data()
    model: Any = exported(tmp_path, num_layers=2, dropout=0.3, head_dropout=0.4, noise=3.0).torch
    assert (model.lstm.dropout, model.dropout.p, model.noise, model.training) == (0.3, 0.4, 3.0, False)
    x, lengths = torch.from_numpy(padded(seqs, 0.0)), torch.tensor(seqs.lengths)
    classes = torch.arange(len(seqs)) % 3
    before = nn.functional.cross_entropy(model(x, lengths)[0], classes)
    model.train()
    torch.manual_seed(0)
    assert not torch.equal(model(x, lengths)[0], model(x, lengths)[0])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x, lengths)[0], classes).backward()
        assert all(parameter.grad is not None for parameter in model.parameters())
        optimizer.step()
    model.eval()
    assert nn.functional.cross_entropy(model(x, lengths)[0], classes) < before


def test_exporting_leaves_the_run_and_the_random_numbers_as_they_were(tmp_path: Path) -> None:
    run = trained(some_data(), tmp_path / "run")
    run.model.train()
    weights = {name: value.clone() for name, value in run.model.state_dict().items()}
    before = torch.get_rng_state()
    run.export(tmp_path / "m.torch", to="torch")
    run.export(tmp_path / "m.onnx", to="onnx")
    assert torch.equal(torch.get_rng_state(), before)
    assert run.model.training
    assert all(torch.equal(value, weights[name]) for name, value in run.model.state_dict().items())


@pytest.mark.parametrize(("mean", "spread"), [(1.7e9, 30.0), (0.0, 1e-35), (0.0, 1e35)])
def test_what_float32_cannot_hold_goes_to_torch_alone(mean: float, spread: float, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    times = [mean + spread * rng.normal(size=length) for length in (4, 4, 4)]
    seqs = ds.Sequences.from_arrays({"time": times}, {"way": CLASSES})
    run = trained(seqs, tmp_path / "run")
    with pytest.raises(ds.RunError, match="feature 'time' has mean .* float32, which cannot tell such numbers apart"):
        run.export(tmp_path / "m.onnx", to="onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    run.export(tmp_path / "m.torch", to="torch")
    with torch.inference_mode():
        found = loaded(tmp_path / "m.torch")(torch.from_numpy(np.array(times)[:, :, None]))[0].softmax(dim=1)
    np.testing.assert_allclose(found, own_probabilities(run, seqs), atol=TOLERANCE)


def test_an_onnx_file_says_what_goes_in_and_comes_out(tmp_path: Path) -> None:
    run = trained(some_data(), tmp_path / "run", num_layers=2)
    about = run.export(tmp_path / "m.onnx", to="onnx")
    assert (about["target"], about["classes"]) == ("way", CLASSES)
    assert about["inputs"]["x"]["columns"] == ["pair[0]", "pair[1]", "large"]
    model = onnx.load(tmp_path / "m.onnx")
    session = opened(tmp_path / "m.onnx")
    for said, found in ((about["inputs"], session.get_inputs()), (about["outputs"], session.get_outputs())):
        types = {"tensor(float)": "float32", "tensor(int64)": "int64"}
        assert {one.name: (types[one.type], one.shape) for one in found} == {
            name: (one["dtype"], one["shape"]) for name, one in said.items()
        }
    assert [prop.key for prop in model.metadata_props] == ["drystone"]
    assert {opset.domain for opset in model.opset_import} == {""}
