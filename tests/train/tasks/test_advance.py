"""Models that go on step by step say what they would say of the whole."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import drystone as ds
from drystone.train import Run
from tests.train.tasks.numbered import numbers_said, regress, weighed
from tests.train.tasks.series import ROWS, forecast, forecasts_of, waves

LENGTHS = (13, 1, 8)
POOLINGS = ("last", "mean", "max", "mean+max")


def labelled(lengths: tuple[int, ...] = LENGTHS * 4) -> ds.Sequences:
    rng = np.random.default_rng(1)
    x = [rng.normal(size=(length, 2)) + number % 2 for number, length in enumerate(lengths)]
    return ds.Sequences.from_arrays({"x": x}, {"way": ["left", "right"] * (len(lengths) // 2)})


@pytest.fixture(scope="module")
def classifiers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("runs")
    options: dict[str, Any] = {
        "bidirectional": False,
        "hidden_size": 3,
        "epochs": 1,
        "progress": False,
        "num_layers": 2,
    }
    return {how: ds.fit(labelled(), "way", out=folder / how, pooling=how, **options) for how in POOLINGS}


@pytest.fixture(scope="module")
def forecaster(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return forecast(waves((40, 30)), out=tmp_path_factory.mktemp("runs") / "run", **ROWS)


cuts = st.lists(st.integers(0, 13), max_size=4).map(lambda found: sorted({0, 13, *found}))


def advanced(run: Run, arrays: list[np.ndarray[Any, Any]], cut: list[int], *, from_zeros: bool) -> np.ndarray[Any, Any]:
    """Sequences side by side, padded on the right and with one empty column before each cut: [rows, steps, outputs]."""
    steps = max(map(len, arrays))
    x = np.full((len(arrays), steps, arrays[0].shape[1]), np.inf)
    valid = np.zeros(x.shape[:2], bool)
    for row, values in enumerate(arrays):
        x[row, : len(values)], valid[row, : len(values)] = values, True
    state, outputs = None, []
    with torch.no_grad():
        if from_zeros:
            _, state = run.model.advance(torch.zeros(len(arrays), 1, x.shape[2], dtype=torch.float64))
            state = tuple(torch.zeros_like(part) for part in state)
        for start, stop in pairwise(cut):
            mask = torch.from_numpy(np.pad(valid[:, start:stop], ((0, 0), (1, 0))))
            values = torch.from_numpy(np.pad(x[:, start:stop], ((0, 0), (1, 0), (0, 0)))).nan_to_num(posinf=0.5)
            found, state = run.model.advance(values, state, mask)
            assert all(part.shape[1] == len(arrays) for part in state)
            assert not found[~mask].any()
            outputs.append(found[:, 1:])
    return torch.cat(outputs, dim=1).numpy()


@pytest.mark.parametrize("how", POOLINGS)
@given(cut=cuts, from_zeros=st.booleans())
@settings(max_examples=10)
def test_a_classifier_says_at_each_step_what_it_would_say_of_the_prefix(
    classifiers: dict[str, Run], how: str, cut: list[int], from_zeros: bool
) -> None:
    run = classifiers[how]
    arrays = [found["x"] for found in labelled()[:3]]
    found = advanced(run, arrays, cut, from_zeros=from_zeros)
    prefixes = [array[:length] for array in arrays for length in range(1, len(array) + 1)]
    table = run.predict(ds.Sequences.from_arrays({"x": prefixes}))
    expected = np.column_stack([table[name] for name in run.task.output_names])
    np.testing.assert_allclose(
        np.concatenate([found[row, : len(array)] for row, array in enumerate(arrays)]), expected, rtol=1e-5
    )


@given(cut=cuts, from_zeros=st.booleans())
@settings(max_examples=10)
def test_a_forecaster_says_at_each_step_what_it_predicts_there(
    forecaster: Run, cut: list[int], from_zeros: bool
) -> None:
    seqs = waves(LENGTHS)
    assert forecaster.schema.features.columns == ("y", "z")
    arrays = [np.column_stack([found["y"], found["z"]]) for found in seqs]
    found = advanced(forecaster, arrays, cut, from_zeros=from_zeros)
    ends = np.concatenate([found[row, : len(array)] for row, array in enumerate(arrays)])
    np.testing.assert_allclose(ends, forecasts_of(forecaster, seqs), rtol=1e-6)


@pytest.mark.parametrize("how", POOLINGS)
def test_a_regressor_says_at_each_step_what_it_would_say_of_the_prefix(how: str, tmp_path: Path) -> None:
    run = regress(weighed(), "pair", pooling=how, bidirectional=False, out=tmp_path / "run")
    arrays = [found["x"] for found in labelled()[:3]]
    found = advanced(run, arrays, [0, 4, 5, 13], from_zeros=False)
    prefixes = [array[:length] for array in arrays for length in range(1, len(array) + 1)]
    ends = np.concatenate([found[row, : len(array)] for row, array in enumerate(arrays)])
    np.testing.assert_allclose(ends, numbers_said(run, ds.Sequences.from_arrays({"x": prefixes})), rtol=1e-5)


def test_all_steps_are_real_where_nothing_is_said(forecaster: Run, classifiers: dict[str, Run]) -> None:
    for run, numbers in ((forecaster, 2), (classifiers["mean+max"], 2)):
        x = torch.ones(2, 3, numbers, dtype=torch.float64)
        with torch.no_grad():
            one, states = run.model.advance(x)
            other, same = run.model.advance(x, None, torch.ones(2, 3, dtype=torch.bool))
        assert torch.equal(one, other)
        assert all(torch.equal(left, right) for left, right in zip(states, same, strict=True))


def test_what_cannot_go_on_names_the_setting() -> None:
    both = ds.fit(labelled(), "way", hidden_size=3, epochs=1, progress=False)
    windows = forecast(waves(), window=5)
    x = torch.zeros(1, 1, 2, dtype=torch.float64)
    with pytest.raises(ds.ConfigError, match="bidirectional is on: .* Train it with bidirectional=False"):
        both.model.advance(x)
    with pytest.raises(ds.ConfigError, match="window is 5: .* Train it with layout='stateful'"):
        windows.model.advance(x)
