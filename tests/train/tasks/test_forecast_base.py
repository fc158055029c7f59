"""Differences to a naive forecast, of numbers and vectors, are exact on every path: against plain loops and `nn.LSTM`."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import drystone as ds
from drystone.train import Evaluator, Run
from drystone.train.prepare import prepare
from drystone.train.settings import Settings
from tests.train.tasks.series import ROWS, forecast, forecasts_of, naive_loop, stacked, waves

HORIZON = 9
KINDS: list[dict[str, Any]] = [
    ROWS,
    {"layout": "padded", "batch_size": 2},
    {"layout": "packed", "rows": 2, "steps": 90},
    {"window": 4, "stride": 2},
    {"window": 9, "layout": "bucketed"},
    {"align": "time", "steps": 5},
    ROWS | {"rows": 4, "lead": 0, "num_layers": 2},
    ROWS | {"backprop_steps": 8},
]
BASES: list[dict[str, Any]] = [
    {"base": "none"},
    {"base": "last"},
    {"base": "season", "season": 7},
    {"base": "season", "season": 20},
]


def fitted(seqs: ds.Sequences, **chosen: Any) -> Run:
    target = "y,z" if "y,z" in seqs.field_names else "y"
    return forecast(seqs, target=target, horizon=HORIZON, **chosen)


def season_of(chosen: dict[str, Any]) -> int | None:
    return chosen["season"] if chosen["base"] == "season" else None


def plain_forecasts(run: Run, found: dict[str, Any], season: int | None) -> np.ndarray[Any, Any]:
    """[steps, numbers × horizon] of one sequence, through `nn.LSTM`, in the order of the columns of `predict`."""
    model, settings = run.model, run.settings
    x = np.column_stack([found[name] for name in run.schema.features.names])
    lstm = torch.nn.LSTM(x.shape[1], model.lstm.hidden_size, settings.num_layers, batch_first=True)
    lstm.load_state_dict(model.lstm.state_dict())
    values = found[run.schema.target].reshape(len(x), -1)
    scaled = ((torch.from_numpy(x) - model.mean) / model.spread).float()
    steps = range(len(x))
    pieces = [scaled] if settings.window is None else [scaled[max(0, t - settings.window + 1) : t + 1] for t in steps]
    with torch.no_grad():
        outputs = [model.head(lstm(piece[None])[0])[0].double() for piece in pieces]
    output = outputs[0] if settings.window is None else torch.stack([each[-1] for each in outputs])
    said = output.reshape(len(x), HORIZON, -1).numpy()
    level = model.target_mean.numpy() if settings.base == "none" else naive_loop(values, season, HORIZON)
    return (said * model.target_spread.numpy() + level).transpose(0, 2, 1).reshape(len(x), -1)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("chosen", BASES[:3:2], ids=str)
def test_every_path_says_what_a_plain_loop_says(kind: dict[str, Any], chosen: dict[str, Any]) -> None:
    seqs = stacked((80, 95, 85))
    run = fitted(seqs, epochs=1, valid_fraction=0.2, **kind, **chosen)
    run = Run.open(run.path)
    assert run.settings.base == chosen["base"]
    expected = [plain_forecasts(run, found, season_of(chosen)) for found in seqs]
    np.testing.assert_allclose(forecasts_of(run, seqs), np.concatenate(expected), rtol=1e-4, atol=1e-4)
    scores = run.evaluate(run.part(seqs, "test"))
    squares, spread = [], run.model.target_spread.numpy()
    test = run.split.runs["test"]
    for sequence, offset, length in zip(test.sequence, test.offset, test.length, strict=True):
        values = seqs[int(sequence)]["y,z"]
        for step in range(offset - 1, offset + length - HORIZON):
            said = expected[sequence][step].reshape(2, HORIZON).T
            squares.append((((said - values[step + 1 : step + 1 + HORIZON]) / spread) ** 2).mean())
    assert scores.steps == len(squares)
    assert scores.loss == pytest.approx(np.mean(squares), rel=1e-4)
    assert [scores.loss, scores.rmse, scores.r2] == [run.metrics[-1][name] for name in ("loss", "rmse", "r2")]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("chosen", BASES, ids=str)
@pytest.mark.parametrize("make", [waves, stacked])
def test_training_minimises_the_errors_of_the_whole(kind: dict[str, Any], chosen: dict[str, Any], make: Any) -> None:
    """A model that says 0 of all has the loss of the naive forecast, or of the mean, over the steps that are trained on."""
    seqs = make((80, 95, 85))
    target = "y,z" if make is stacked else "y"
    given = {"target": target, "task": "forecast", "horizon": HORIZON, "hidden_size": 3} | kind | chosen
    prepared = prepare(seqs, Settings.of(**given))
    torch.nn.init.zeros_(prepared.model.head.weight)
    torch.nn.init.zeros_(prepared.model.head.bias)
    loader = prepared.loader
    found = Evaluator(prepared.task.objective(loader.seqs), loader).figures(prepared.model)["loss"]
    train = prepared.split.runs["train"]
    parts = [
        seqs[int(sequence)][target][:length].reshape(length, -1)
        for sequence, length in zip(train.sequence, train.length, strict=True)
    ]
    values = np.concatenate(parts)
    mean, spread = values.mean(axis=0), values.std(axis=0)
    squares = []
    for part in parts:
        naive = mean + np.zeros((len(part), HORIZON, 1)) if chosen["base"] == "none" else None
        naive = naive_loop(part, season_of(chosen), HORIZON) if naive is None else naive
        first, stride = (kind["window"] - 1, kind.get("stride", 1)) if "window" in kind else (0, 1)
        for step in range(first, len(part) - HORIZON, stride):
            truth = part[step + 1 : step + 1 + HORIZON]
            squares.append((((naive[step] - truth) / spread) ** 2).mean())
    assert found == pytest.approx(np.mean(squares), rel=1e-5)


@pytest.fixture(scope="module", params=BASES, ids=str)
def goes_on(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("runs")
    return fitted(stacked((60, 95)), out=folder / "run", **ROWS, **request.param)


@given(cut=st.lists(st.integers(0, 31), max_size=5).map(lambda found: sorted({0, 31, *found})))
@settings(max_examples=10, deadline=None)
def test_going_on_step_by_step_says_what_is_predicted(goes_on: Run, cut: list[int]) -> None:
    seqs = stacked((31, 4, 17))
    assert goes_on.schema.features.columns == ("y,z[0]", "y,z[1]", "u")
    x = torch.zeros(3, 31, 3, dtype=torch.float64)
    valid = torch.zeros(3, 31, dtype=torch.bool)
    for row, found in enumerate(seqs):
        steps = len(found["u"])
        x[row, :steps] = torch.from_numpy(np.column_stack([found["y,z"], found["u"]]))
        valid[row, :steps] = True
    state, outputs = None, []
    with torch.no_grad():
        for start, stop in pairwise(cut):
            found, state = goes_on.model.advance(x[:, start:stop], state, valid[:, start:stop])
            assert all(part.shape[1] == 3 for part in state)
            outputs.append(found)
    every = torch.cat(outputs, dim=1)
    assert not every[~valid].any()
    np.testing.assert_allclose(every[valid].numpy(), forecasts_of(goes_on, seqs), rtol=1e-5, atol=1e-5)


def test_streams_go_on_from_saved_states(tmp_path: Path) -> None:
    seqs = stacked((40, 33))
    run = fitted(stacked((60, 95)), base="season", season=7, **ROWS)
    x = [np.column_stack([found["y,z"], found["u"]]) for found in seqs]
    first = run.predictor()
    first.step({"a": x[0][:25], "b": x[1][:3]})
    first.save(tmp_path / "states")
    then = run.predictor()
    then.load(tmp_path / "states")
    found = then.step({"a": x[0][25:], "b": x[1][3:]})
    said = np.split(forecasts_of(run, seqs), [40])
    np.testing.assert_allclose(found["a"].numpy(), said[0][25:], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found["b"].numpy(), said[1][3:], rtol=1e-5, atol=1e-5)


def test_the_columns_are_those_of_each_number_after_the_other() -> None:
    seqs = stacked((90,))
    run = fitted(seqs, **ROWS)
    names = [f"{name}+{ahead}" for name in ("y", "z") for ahead in range(1, HORIZON + 1)]
    assert run.predict(seqs).column_names == ["sequence", "pump", "step", "time", *names]
    assert str(run.task) == "the next 9 values of 'y,z'"
    renamed = ds.Sequences.from_arrays({"pair": [seqs[0]["y,z"]]})
    other = forecast(renamed, target="pair", **ROWS)
    assert other.predict(renamed).column_names[2:] == [f"pair[{k}]+{ahead}" for k in (0, 1) for ahead in (1, 2, 3)]


def test_the_target_may_come_as_features_of_its_parts() -> None:
    seqs = stacked((90,))
    parts = {"y": [seqs[0]["y,z"][:, 0]], "z": [seqs[0]["y,z"][:, 1]], "y,z": [seqs[0]["y,z"]]}
    seqs = ds.Sequences.from_arrays(parts)
    run = fitted(seqs, features=("z", "y"), base="season", season=7, **ROWS)
    with torch.no_grad():
        said, _ = run.model.advance(torch.from_numpy(np.column_stack([parts["z"][0], parts["y"][0]]))[None])
    np.testing.assert_allclose(said[0].numpy(), forecasts_of(run, seqs), rtol=1e-5, atol=1e-5)


def test_the_season_is_found_from_timestamps_and_kept() -> None:
    y = waves((90,))[0]["y"]
    times = np.datetime64("2024-01-01", "h") + np.arange(90)
    seqs = replace(ds.Sequences.from_arrays({"y": [y], "ts": [times]}), order_by="ts")
    run = Run.open(forecast(seqs, base="season", **ROWS).path)
    assert run.schema.outputs["season"] == 24
    assert list(run.evaluate(seqs).baselines) == ["last value", "seasonal"]
    assert forecast(seqs, season=5, **ROWS).schema.outputs["season"] == 5


def test_what_is_not_known_is_named() -> None:
    seqs = waves()
    run = forecast(seqs, features=("z",), base="last", **ROWS)
    words = r"base is 'last': forecasts are differences to past values of 'y', so they must be known. Train with base='none'"
    with pytest.raises(ds.DataError, match=rf"no field 'y'.* {words}"):
        run.predict(ds.Sequences.from_arrays({"z": [[1.0, 2.0]]}))
    with pytest.raises(ds.DataError, match=rf"column 'y' is nan in sequence 0, step 1; past values .* {words}"):
        run.predict(ds.Sequences.from_arrays({"z": [[1.0, 2.0]], "y": [[1.0, np.nan]]}))
    with pytest.raises(
        ds.DataError, match=rf"a step of target 'y' has shape \(2,\); the model forecasts \(\). {words}"
    ):
        run.predict(ds.Sequences.from_arrays({"z": [[1.0, 2.0]], "y": [[[1.0, 1.0], [2.0, 1.0]]]}))
    with pytest.raises(ds.ConfigError, match="base is 'last': .* is not among the features, so the model cannot go on"):
        run.predictor()
    with pytest.raises(ds.DataError, match=r"a step of target 'y' has shape \(1,\)"):
        run.evaluate(ds.Sequences.from_arrays({"z": [[1.0] * 9], "y": [np.ones((9, 1))]}))
    plain = forecast(seqs, features=("z",), **ROWS)
    assert plain.schema.outputs["base"] == "none"
    assert plain.predict(ds.Sequences.from_arrays({"z": [[1.0, 2.0]]})).num_rows == 2


@pytest.mark.parametrize("chosen", [{"base": "last"}, {"base": "season", "season": 7}], ids=str)
@pytest.mark.parametrize("missing", ["ffill", "indicator"])
def test_past_values_that_miss_are_the_last_ones_known(missing: str, chosen: dict[str, Any]) -> None:
    found = stacked((60, 95))
    values = [each["y,z"].copy() for each in found]
    rng = np.random.default_rng(0)
    for each in values:
        each[rng.random(each.shape) < 0.03] = np.nan
        each[:3, 1] = np.nan
    seqs = ds.Sequences.from_arrays({"y,z": values, "u": [each["u"] for each in found]})
    run = fitted(seqs, missing=missing, test_fraction=0.3, **ROWS, **chosen)
    mean = run.model.target_mean.numpy()
    model = run.model
    torch.nn.init.zeros_(model.head.weight)
    torch.nn.init.zeros_(model.head.bias)
    expected = []
    for each in values:
        filled = each.copy()
        for step, row in enumerate(filled):
            row[np.isnan(row)] = (filled[step - 1] if step else mean)[np.isnan(row)]
        expected.append(naive_loop(filled, season_of(chosen), HORIZON).transpose(0, 2, 1).reshape(len(each), -1))
    np.testing.assert_allclose(forecasts_of(run, seqs), np.concatenate(expected), rtol=1e-9)
    x, state, said = torch.from_numpy(np.column_stack([values[1], found[1]["u"]]))[None], None, []
    with torch.no_grad():
        for piece in x.split([1, 2, 30, 7, 55], dim=1):
            outputs, state = model.advance(piece, state)
            said.append(outputs[0])
    np.testing.assert_allclose(torch.cat(said).numpy(), expected[1], rtol=1e-9)
