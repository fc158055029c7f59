"""Naive forecasts, seasons and scaled errors are those of plain loops."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.core.collate import collate
from drystone.train.tasks.forecast.base import best_base
from drystone.train.tasks.forecast.mase import ScaledError, naive_errors
from drystone.train.tasks.forecast.naive import Naive, naive_offsets, with_beginnings
from drystone.train.tasks.forecast.recent import Recent
from drystone.train.tasks.forecast.season import usual_season
from tests.train.tasks.series import ROWS, forecast, naive_loop, stacked, waves

seasons = st.none() | st.integers(1, 9)


def some(lengths: list[int], width: int) -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(sum(lengths))
    shape = () if width == 0 else (width,)
    return [rng.normal(size=(length, *shape)) for length in lengths]


@given(st.lists(st.integers(1, 20), min_size=1, max_size=5), seasons, st.integers(1, 12), st.integers(0, 2))
def test_on_any_grid_they_are_those_of_a_loop(lengths: list[int], season: int | None, horizon: int, width: int) -> None:
    series = some(lengths, width)
    seqs = with_beginnings(ds.Sequences.from_arrays({"y": series}), "y")
    expected = np.concatenate([naive_loop(values, season, horizon) for values in series])
    offsets = naive_offsets(season, horizon)
    starts = np.cumsum([0, *lengths])
    for view, layout in (
        (seqs, ds.Stateful(rows=2, steps=3)),
        (seqs, ds.Packed(rows=2, steps=20)),
        (seqs.cut(3, lead=1), ds.Padded(2)),
        (seqs.windows(min(lengths), stride=1), ds.Padded(3)),
    ):
        naive = Naive(seqs=view, target="y", offsets=offsets)
        plan = layout.plan(view.lengths, seed=1, epoch=0)
        for index in range(plan.num_batches):
            batch = collate(view, plan, index)
            cells = batch.grid.cells
            rows, steps = np.divmod(cells, batch.grid.num_steps)
            step = np.concatenate(
                [
                    np.arange(view.starts[s] + o, view.starts[s] + o + n)
                    for s, o, n in zip(batch.spans.sequence, batch.spans.offset, batch.spans.length, strict=True)
                ]
            )
            assert batch.valid[rows, steps].all()
            assert step.max() < starts[-1]
            found = np.broadcast_to(naive.at(batch, cells), (len(cells), *expected.shape[1:]))
            np.testing.assert_array_equal(found, expected[step])


@given(st.data(), st.lists(st.integers(0, 12), min_size=1, max_size=3), seasons, st.integers(1, 8), st.booleans())
def test_bit_by_bit_they_are_those_of_a_loop(
    data: st.DataObject, lengths: list[int], season: int | None, horizon: int, from_zeros: bool
) -> None:
    recent = Recent(naive_offsets(season, horizon))
    series = some(lengths, 2)
    left, before = [0] * len(series), ()
    found: list[list[Any]] = [[] for _ in series]
    if from_zeros:
        _, before = recent.at(torch.ones(len(series), 1, 2, dtype=torch.float64), torch.ones(len(series), 1) > 0, ())
        before = tuple(torch.zeros_like(part) for part in before)
    while any(at < len(values) for at, values in zip(left, series, strict=True)):
        real = np.array(data.draw(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=len(series))))
        real = real[: len(series)]
        real[:, 0] |= True
        x = np.full((len(series), 4, 2), 99.0)
        for row, values in enumerate(series):
            at = np.flatnonzero(real[row])[: len(values) - left[row]]
            real[row] = False
            real[row, at] = True
            x[row, at] = values[left[row] : left[row] + len(at)]
            left[row] += len(at)
        said, before = recent.at(torch.from_numpy(x), torch.from_numpy(real), before)
        said = said.expand(-1, -1, horizon, -1)
        for row in range(len(series)):
            found[row] += list(said[row, torch.from_numpy(real[row])].numpy())
    for values, each in zip(series, found, strict=True):
        if len(values):
            np.testing.assert_array_equal(np.stack(each), naive_loop(values, season, horizon))


@pytest.mark.parametrize(
    ("step", "count", "season"),
    [
        ("10m", 30, 144),
        ("15m", 30, 96),
        ("30m", 30, 48),
        ("1h", 30, 24),
        ("60m", 30, 24),
        ("1D", 30, 7),
        ("1W", 9, 52),
        ("1M", 30, 12),
        ("7m", 30, None),
        ("1Y", 30, None),
        ("1s", 30, None),
        ("1h", 1, None),
    ],
)
def test_regular_timestamps_have_a_season(step: str, count: int, season: int | None) -> None:
    unit = np.timedelta64(int(step[:-1]), step[-1])  # pyright: ignore[reportCallIssue, reportArgumentType]
    start = np.datetime64("2023-01-31", "D") if step[-1] in "Dhms" else np.datetime64("2023-01", step[-1])
    times = [(start + unit * np.arange(count)).astype("M8[s]") + np.timedelta64(5, "s")] * 2
    seqs = ds.Sequences.from_arrays({"time": times, "y": [np.arange(float(count))] * 2})
    assert usual_season(replace(seqs, order_by="time")) == season
    assert usual_season(seqs) is None


def test_other_orders_have_no_season() -> None:
    hours = np.arange("2024-01-01", "2024-01-02", dtype="M8[h]")
    orders = {
        "gap": np.delete(hours, 5),
        "number": np.arange(23),
        "text": np.array([f"{hour}" for hour in hours[1:]]),
        "not monthly": np.array(["2024-01-01", "2024-02-29"] + ["2024-03-01"] * 21, dtype="M8[D]"),
    }
    for name, times in orders.items():
        seqs = ds.Sequences.from_arrays({name: [times]})
        assert usual_season(replace(seqs, order_by=name)) is None, name


@pytest.mark.parametrize("season", [None, 1, 4, 50])
@pytest.mark.parametrize("unit", [1.0, 1e305])
def test_naive_errors_are_those_of_a_loop(season: int | None, unit: float) -> None:
    series = [unit * values for values in some([9, 3, 20], 2)]
    past = season or 1
    found = naive_errors(ds.Sequences.from_arrays({"y": series}), "y", season)
    differences = [abs(v[t] / unit - v[t - past] / unit) for v in series for t in range(past, len(v))]
    expected = unit * np.mean(differences, axis=0) if differences else np.zeros(2)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_numbers_without_a_naive_error_are_left_out() -> None:
    metric = ScaledError(np.array([2.0, 0.0, 4.0])).set_dtype(torch.float64)
    targets = torch.zeros(5, 3, dtype=torch.float64)
    for rows in (targets[:2], targets[2:]):
        metric.update(rows + torch.tensor([1.0, 7.0, -6.0]), rows)
    assert metric.compute().item() == (1 / 2 + 6 / 4) / 2


@pytest.mark.parametrize("settings", [ROWS, {"window": 6}, ROWS | {"context": 9}], ids=str)
@pytest.mark.parametrize("vector", [False, True])
def test_all_figures_and_both_baselines_are_those_of_loops(settings: dict[str, Any], vector: bool) -> None:
    seqs, target = (stacked(), "y,z") if vector else (waves(), "y")
    run = forecast(seqs, target=target, season=7, horizon=9, valid_fraction=0.1, test_fraction=0.3, **settings)
    part = run.part(seqs, "test")
    scores = run.evaluate(part)
    values = seqs[0][target].reshape(90, -1)
    at = np.arange(63 - 1, 90 - 9)
    past = 63 - settings["context"] if "context" in settings else 0
    naive = {
        name: naive_loop(values[past:], season, 9)[at - past]
        for name, season in (("last value", None), ("seasonal", 7))
    }
    truth = np.stack([values[at + ahead] for ahead in range(1, 10)], axis=1)
    table = run.predict(part)
    said = np.column_stack([table[name] for name in run.task.output_names])[at - past]
    said = said.reshape(len(at), -1, 9).transpose(0, 2, 1)
    scale = np.mean([abs(values[t] - values[t - 7]) for t in range(7, 54)], axis=0)
    expected = {name: figures(found, truth, scale) for name, found in (naive | {"model": said}).items()}
    found = {name: getattr(scores, name) for name in ("rmse", "mae", "r2", "mase")}
    assert found == pytest.approx(expected.pop("model"), rel=1e-5)
    assert {name: pytest.approx(figure) for name, figure in scores.baselines.items()} == expected
    assert run.metrics[-1]["baselines"] == scores.baselines
    spread = values[:54].std(axis=0)
    assert scores.loss == pytest.approx((((said - truth) / spread) ** 2).mean(), rel=1e-5)


def figures(found: np.ndarray[Any, Any], truth: np.ndarray[Any, Any], scale: np.ndarray[Any, Any]) -> dict[str, float]:
    """Of [steps, horizon, numbers]."""
    errors = found - truth
    r2 = 1 - (errors**2).sum(axis=(0, 1)) / ((truth - truth.mean(axis=(0, 1))) ** 2).sum(axis=(0, 1))
    mase = np.abs(errors).mean(axis=(0, 1)) / scale
    return {
        "rmse": float(np.sqrt((errors**2).mean())),
        "mae": float(np.abs(errors).mean()),
        "r2": float(r2.mean()),
        "mase": float(mase.mean()),
    }


def test_a_training_part_that_never_changes_has_no_scaled_error() -> None:
    y = np.concatenate([np.ones(60), np.arange(30.0)])
    seqs = ds.Sequences.from_arrays({"y": [y], "x": [np.arange(90.0)]})
    run = forecast(seqs, test_fraction=1 / 3, **ROWS)
    scores = run.evaluate(run.part(seqs, "test"))
    assert scores.mase is None
    assert "mase" not in run.metrics[-1]
    assert not any("mase" in line for line in run.task.in_words(run.metrics[-1]))
    with pytest.raises(ds.ConfigError, match="monitor is 'mase'; the figures are: loss, rmse, mae, r2.$"):
        forecast(seqs, valid_fraction=0.2, monitor="mase", **ROWS)


@given(st.lists(st.integers(2, 15), min_size=1, max_size=4), seasons, st.integers(1, 9), st.integers(0, 2))
def test_the_base_by_default_is_the_naive_forecast_that_is_best(
    lengths: list[int], season: int | None, horizon: int, width: int
) -> None:
    series = [values.cumsum(axis=0) for values in some(lengths, width)]
    every = np.concatenate(series).reshape(sum(lengths), -1)
    mean, spread = every.mean(axis=0), every.std(axis=0)
    errors = dict.fromkeys(("none", "last", "season"), 0.0)
    for values in series:
        flat = values.reshape(len(values), -1)
        said = {"last": naive_loop(flat, None, horizon), "season": naive_loop(flat, season, horizon)}
        said["none"] = 0 * said["last"] + mean
        for step in range(len(values) - horizon):
            for name, forecasts in said.items():
                errors[name] += (((forecasts[step] - flat[step + 1 : step + 1 + horizon]) / spread) ** 2).sum()
    found = best_base(ds.Sequences.from_arrays({"y": series}), "y", season, horizon)
    assert found in (("none", "last") if season is None else errors)
    assert errors[found] == pytest.approx(min(errors.values()), rel=1e-9)


def test_values_that_miss_are_no_truth_for_the_base() -> None:
    days = np.tile([0.0, 5.0, 1.0, 7.0], 40)
    days[np.random.default_rng(0).random(160) < 0.6] = np.nan
    days[:8] = [0, 5, 1, 7] * 2
    errors = dict.fromkeys(("none", "last", "season"), 0.0)
    mean, filled = np.nanmean(days), days.copy()
    for step in range(1, 160):
        filled[step] = filled[step - 1] if np.isnan(days[step]) else days[step]
    for step in range(160 - 1):
        said = {"none": mean, "last": filled[step], "season": filled[step - 3] if step >= 3 else filled[step]}
        for name, value in said.items():
            errors[name] += 0.0 if np.isnan(days[step + 1]) else (value - days[step + 1]) ** 2
    found = best_base(ds.Sequences.from_arrays({"y": [days]}), "y", 4, 1)
    assert found == min(errors, key=errors.__getitem__)


GAPS = [3, 4, 20, 50, 51, 70, 85]


def with_gaps(first: int = 0) -> ds.Sequences:
    y = waves().field("y").values.copy()
    y[[*range(first), *GAPS]] = np.nan
    return ds.Sequences.from_arrays({"y": [y], "z": [np.arange(90.0)]})


@pytest.mark.parametrize("missing", ["ffill", "indicator"])
@pytest.mark.parametrize("settings", [ROWS, {"window": 6}], ids=str)
def test_steps_whose_next_values_miss_are_not_scored(missing: str, settings: dict[str, Any]) -> None:
    seqs = with_gaps(2)
    run = forecast(seqs, missing=missing, test_fraction=0.3, season=7, **settings)
    y = seqs.field("y").values
    train = y[:63]
    apart = [abs(train[t] - train[t - 7]) for t in range(7, 63) if np.isfinite(train[t] - train[t - 7])]
    assert run.schema.outputs["naive_errors"] == pytest.approx([np.mean(apart)])
    assert run.model.target_mean.item() == pytest.approx(np.nanmean(train))
    filled = y.copy()
    for step in range(1, 90):
        filled[step] = filled[step - 1] if np.isnan(y[step]) else y[step]
    said = np.column_stack([run.predict(seqs)[name] for name in run.task.output_names])
    for part, steps in (("train", range(63 - 3)), ("test", range(63 - 1, 90 - 3))):
        at = np.array([t for t in steps if np.isfinite(y[t + 1 : t + 4]).all()])
        truth = np.stack([y[at + ahead] for ahead in (1, 2, 3)], axis=1)
        scores = run.evaluate(run.part(seqs, part))
        assert scores.steps == len(at)
        assert scores.mae == pytest.approx(np.abs(said[at] - truth).mean(), rel=1e-5)
        known = np.isfinite(filled[at])
        expected = np.abs(filled[at][known, None] - truth[known]).mean()
        assert scores.baselines["last value"]["mae"] == pytest.approx(expected)
    rarely = ds.Sequences.from_arrays({"y": [np.where(np.arange(90) % 9 == 0, np.nan, y)], "z": [np.arange(90.0)]})
    with pytest.raises(ds.DataError, match="the train part holds no step whose next 9 values of 'y' are all known"):
        forecast(rarely, missing=missing, horizon=9, **ROWS)
