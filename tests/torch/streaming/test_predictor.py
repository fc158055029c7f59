"""StatefulPredictor: every stream gets what it gets alone, whatever comes with it and however it is cut."""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import drystone as ds
from drystone.torch import LSTM, StatefulPredictor
from drystone.torch.streaming import run as running
from drystone.torch.streaming.pieces import pieces
from tests.torch.streaming.models import FEATURES, KINDS, Clock, alone, make

NAMES = ["pump-7", "pump-9", "ü", "d", "e", "f"]
names = st.sampled_from(NAMES)
columns = st.tuples(st.just("columns"), st.lists(names, min_size=1, max_size=9), st.integers(1, 3))
mappings = st.tuples(st.just("by stream"), st.dictionaries(names, st.integers(0, 7), min_size=1))
forgettings = st.tuples(st.just("forget"), st.lists(names, max_size=2))
actions = st.lists(st.one_of(columns, mappings, forgettings), min_size=1, max_size=8)


@pytest.fixture(params=[None, 3], ids=["whole", "small pieces"])
def max_cells(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param is not None:
        monkeypatch.setattr(running, "pieces", partial(pieces, max_cells=request.param))
    return


@pytest.mark.usefixtures("max_cells")
@pytest.mark.parametrize("kind", KINDS)
@given(actions, st.integers(0, 1000))
@settings(max_examples=20)
def test_every_stream_gets_what_it_gets_alone(kind: str, todo: list[Any], seed: int) -> None:
    model = make(kind).eval()
    predictor = StatefulPredictor(model)
    rng = np.random.default_rng(seed)
    history: dict[str, list[Any]] = defaultdict(list)
    for what, came, *more in todo:
        if what == "forget":
            predictor.forget(came)
            for name in came:
                history.pop(name, None)
        elif what == "columns":
            values = rng.standard_normal((len(came), more[0], FEATURES))
            found = predictor.step(came, values)
            places = []
            for name, row in zip(came, values, strict=True):
                places.append(slice(len(history[name]), len(history[name]) + more[0]))
                history[name].extend(row)
            for name, place, outputs in zip(came, places, found, strict=True):
                torch.testing.assert_close(outputs, alone(model, history[name])[place], rtol=1e-12, atol=1e-13)
        else:  # 0 stands for one step without an axis of steps
            values = {name: rng.standard_normal((steps, FEATURES)[not steps :]) for name, steps in came.items()}
            found = predictor.step(values)
            assert list(found) == list(values)
            for name, row in values.items():
                history[name].extend(row.reshape(-1, FEATURES))
                expected = alone(model, history[name])[-(came[name] or 1) :].reshape(*row.shape[:-1], -1)
                torch.testing.assert_close(found[name], expected, rtol=1e-12, atol=1e-13)
    assert predictor.steps_of(NAMES).tolist() == [len(history.get(name, [])) for name in NAMES]
    assert sorted(predictor.streams) == sorted(name for name, steps in history.items() if steps)
    assert predictor.num_streams == len(predictor.streams)


@given(st.integers(1, 5), st.lists(st.lists(names, min_size=1, max_size=5), max_size=12))
def test_of_more_than_max_streams_the_least_recently_used_is_forgotten(
    max_streams: int, calls: list[list[str]]
) -> None:
    predictor = StatefulPredictor(make("gru"), max_streams=max_streams)
    held: dict[str, int] = {}
    forgotten = 0
    for call in calls:
        streams = list(dict.fromkeys(call))
        if len(streams) > max_streams:
            with pytest.raises(ds.DataError, match=f"{len(streams)} streams came in one call, and max_streams"):
                predictor.step(call, np.ones((len(call), FEATURES)))
        else:
            predictor.step(call, np.ones((len(call), FEATURES)))
            for name in streams:
                held[name] = held.pop(name, 0) + call.count(name)
            for name in list(held)[: max(len(held) - max_streams, 0)]:
                held.pop(name)
                forgotten += 1
        assert predictor.streams == list(held)
        assert predictor.steps_of(NAMES).tolist() == [held.get(name, 0) for name in NAMES]
        assert predictor.num_forgotten == forgotten
        assert predictor._table.num_slots <= max_streams


def test_streams_unused_for_too_long_are_forgotten_and_their_slots_used_again() -> None:
    clock, model = Clock(), make("lstm").eval()
    predictor = StatefulPredictor(model, forget_after=10, clock=clock)
    x = np.ones((2, FEATURES))
    predictor.step(["a", "b"], x)
    clock.seconds += 6
    predictor.step(["b"], x[:1])
    clock.seconds += 4
    assert predictor.streams == ["a", "b"]
    clock.seconds += 1
    assert predictor.streams == ["b"]
    assert predictor.num_forgotten == 1
    slots = predictor._table.num_slots
    found = predictor.step(["a", "b"], x)
    assert predictor._table.num_slots == slots
    torch.testing.assert_close(found[0], alone(model, x[:1])[0])
    torch.testing.assert_close(found[1], alone(model, np.ones((3, FEATURES)))[2])
    clock.seconds += 11
    assert (predictor.num_streams, predictor.num_forgotten) == (0, 3)


def test_streams_are_forgotten_one_after_the_other_as_time_passes() -> None:
    clock = Clock()
    predictor = StatefulPredictor(make("gru"), forget_after=10, clock=clock)
    for name in ("a", "b", "c"):
        predictor.step([name], np.ones((1, FEATURES)))
        clock.seconds += 3
    clock.seconds += 2
    for held in (["b", "c"], ["c"], []):
        assert predictor.streams == held
        clock.seconds += 3


def test_the_table_grows_by_doubling_and_keeps_what_is_there() -> None:
    model = make("lstm").eval()
    predictor = StatefulPredictor(model)
    sizes = []
    for number in range(20):
        predictor.step([f"s{number}"], np.full((1, FEATURES), number))
        sizes.append(predictor._table.num_slots)
    assert sorted(set(sizes)) == [1, 2, 4, 8, 16, 32]
    found = predictor.step([f"s{number}" for number in range(20)], np.ones((20, FEATURES)))
    for number in range(20):
        expected = alone(model, [np.full(FEATURES, number), np.ones(FEATURES)])[1]
        torch.testing.assert_close(found[number], expected)


def test_one_feature_may_come_as_plain_numbers() -> None:
    model = LSTM(1, 2).eval()
    by_column = StatefulPredictor(model).step(["a", "b"], [0.5, 2])
    by_stream = StatefulPredictor(model).step({"a": 0.5, "b": [2]})
    assert by_column.shape == (2, 2)
    torch.testing.assert_close(by_column, torch.stack(list(by_stream.values())))


def test_what_comes_may_be_tensors_or_whole_numbers() -> None:
    model = LSTM(2, 2).eval()
    found = [
        StatefulPredictor(model).step(["a", "b"], values)
        for values in (
            [[1, 2], [3, 4]],
            np.array([[1, 2], [3, 4]], ">i2"),
            torch.tensor([[1, 2], [3, 4]]),
            torch.tensor([[1.0, 2], [3, 4]], requires_grad=True),
            [torch.tensor([1.0, 2], requires_grad=True), torch.tensor([3.0, 4])],
        )
    ]
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=0, atol=0)
    assert not found[0].requires_grad


def test_a_call_with_as_many_steps_each_is_one_call_of_the_model_and_no_cell_is_padding() -> None:
    shapes: list[tuple[int, int]] = []

    def model(x: Any, state: Any) -> Any:
        shapes.append(tuple(x.shape[:2]))
        return x, state if state is not None else torch.zeros(1, len(x), 1)

    predictor = StatefulPredictor(model)
    predictor.step(["a", "b", "c"], np.zeros((3, 4, 1)))
    assert shapes[2:] == [(3, 4)]  # before the first one, two of one step prove that None means zeros
    shapes.clear()
    predictor.step(["a", "b", "a"], np.zeros((3, 4, 1)))
    assert shapes == [(2, 4), (1, 4)]
    shapes.clear()
    lengths = [1] * 10_000 + [100_000]
    predictor.step({str(number): np.zeros((length, 1)) for number, length in enumerate(lengths)})
    assert sum(rows * steps for rows, steps in shapes) == sum(lengths)
    assert max(rows * steps for rows, steps in shapes) <= 2**16
    assert len(shapes) == 3


def test_modes_and_random_numbers_are_left_as_they_were() -> None:
    model = nn.Sequential(make("nest"), nn.Dropout(0.5))
    model[0].gain.requires_grad_(True)
    model[1].eval()

    def draws(x: Any, state: Any) -> Any:
        assert not any(part.training for part in model.modules())
        assert not torch.is_grad_enabled()
        torch.rand(1)
        return model[0](x, state)

    predictor = StatefulPredictor(draws, module=model, dtype=torch.float64)
    before = torch.get_rng_state()
    found = predictor.step(["a"], np.ones((1, FEATURES)))
    assert torch.equal(torch.get_rng_state(), before)
    assert [part.training for part in model.modules()] == [True, True, True, False]
    torch.testing.assert_close(found[0], alone(model[0].eval(), np.ones((1, FEATURES)))[0])
    assert not found.requires_grad


def test_a_method_of_a_module_is_a_model_of_this_module() -> None:
    module = make("gru")
    module.train()
    predictor = StatefulPredictor(module.forward)
    predictor.step(["a"], np.ones((1, FEATURES)))
    assert module.training
    assert predictor._dtype == torch.float64
    assert predictor._module is module


@pytest.mark.parametrize("kind", [np.array, torch.from_numpy])
def test_predictions_and_values_share_no_memory_with_the_caller_or_the_table(kind: Any) -> None:
    predictor = StatefulPredictor(lambda x, state: (x, x[:, -1][None]), dtype=torch.float64)
    values = kind(np.ones((2, FEATURES)))
    found = predictor.step(["a", "b"], values)
    values[:] = 7
    assert (found == 1).all()
    found.fill_(5)
    (held,) = predictor._table.gather(torch.tensor([0, 1]), None)
    assert (held == 1).all()


@pytest.mark.parametrize("bound", ["num_features", "max_streams", "forget_after"])
def test_bounds_must_be_above_0(bound: str) -> None:
    with pytest.raises(ds.ConfigError, match=f"{bound} is 0; it must be above 0"):
        StatefulPredictor(make("gru"), **{bound: 0})


def test_streams_that_start_anew_do_so_when_the_call_succeeds() -> None:
    model = LSTM(2, 3, dtype=torch.float64)
    predictor = StatefulPredictor(model)
    x = np.random.default_rng(0).standard_normal((4, 2, 2))
    for each in x[:2]:
        predictor.step(["a", "b"], each)
    with pytest.raises(ds.StreamInputError):
        predictor.step({"a": x[2, 0], "b": [np.nan, 0]}, anew=["a"])
    assert predictor.steps_of(["a", "b"]).tolist() == [2, 2]
    found = predictor.step({"b": x[2, 1], "a": x[2:, 0], "c": x[0, 0]}, anew=["a", "c"])
    with torch.no_grad():
        expected, _ = model(torch.from_numpy(x[2:, 0])[None])
        going_on, _ = model(torch.from_numpy(x[:3, 1])[None])
    torch.testing.assert_close(found["a"], expected[0])
    torch.testing.assert_close(found["b"], going_on[0, 2])
    assert predictor.steps_of(["a", "b", "c"]).tolist() == [2, 3, 1]
