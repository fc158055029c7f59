"""Pictures of numbers: predictions against truth, forecasts, errors over the horizon; odd ones too."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drystone.plots.figure import MOST_PANELS, Picture, written_out
from drystone.plots.forecasts import Forecasts, Stretch
from drystone.plots.predictions import MOST_DOTS, Predictions
from drystone.plots.residuals import SHARES, Residuals
from tests.pictures import check_whole

RNG = np.random.default_rng(0)


def predictions(num_points: int, num_numbers: int, scale: float = 1.0) -> Predictions:
    true = RNG.normal(size=(num_points, num_numbers)) * scale
    predicted = true + scale * RNG.normal(size=true.shape)
    names = [f"y[{number}]" for number in range(num_numbers)]
    return Predictions(names=names, predicted=predicted, true=true, unit="sequences", title="y, test part: rmse 1")


def stretch(horizon: int, num_targets: int, times: Any = None) -> Stretch:
    steps = 10 + 2 * horizon
    return Stretch(
        name="first",
        times=np.arange(steps) if times is None else times[:steps],
        true=RNG.normal(size=(steps, num_targets)),
        origins=np.array([9, 9 + horizon]),
        forecasts=RNG.normal(size=(2, horizon, num_targets)),
    )


def residuals(horizon: int, num_targets: int, **trivial: float) -> Residuals:
    errors = RNG.normal(size=(50, horizon, num_targets))
    return Residuals(
        names=[f"y{number}" for number in range(num_targets)],
        quantiles=np.quantile(errors, SHARES, axis=0),
        rmse=np.sqrt(np.square(errors).mean(axis=0)),
        trivial={name: np.full((horizon, num_targets), value) for name, value in trivial.items()},
        title="y, test part: rmse 1",
    )


def forecasts(stretches: list[Stretch], num_targets: int = 1) -> Forecasts:
    names = [f"y{number}" for number in range(num_targets)]
    return Forecasts(names=names, stretches=stretches, order="time", title="title")


DAYS = np.datetime64("2024-02-20") + np.arange(600)
PICTURES: dict[str, Picture] = {
    "one point": predictions(1, 1),
    "few": predictions(MOST_DOTS, 1),
    "many": predictions(MOST_DOTS + 1, 1),
    "vectors": predictions(20, 4),
    "long vectors": predictions(MOST_DOTS + 1, 12),
    "constant": predictions(5, 1, scale=0.0),
    "many of one value": predictions(MOST_DOTS + 1, 1, scale=0.0),
    "large": predictions(20, 1, scale=1e200),
    "forecasts one step ahead": forecasts([stretch(1, 1)]),
    "far ahead": forecasts([stretch(240, 1, DAYS)] * 6),
    "by day": forecasts([stretch(7, 1, DAYS)] * 3),
    "by second": forecasts([stretch(7, 1, DAYS[0].astype("M8[s]") + np.arange(600))] * 2),
    "by year": forecasts([stretch(7, 1, np.arange(600) * 1.0)] * 5),
    "several targets": forecasts([stretch(7, 3, DAYS)] * 3, 3),
    "many targets": forecasts([stretch(3, 12)] * 3, 12),
    "errors one step ahead": residuals(1, 1, last=2.0),
    "errors of several": residuals(40, 3, last=2.0, season=1.0, mean=3.0, other=np.nan),
    "errors of many": residuals(5, 12),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_drawn(name: str, tmp_path: Path) -> None:
    PICTURES[name].save(tmp_path / "picture.png")
    check_whole(tmp_path / "picture.png")


@pytest.mark.parametrize(("num_numbers", "panels"), [(1, 1), (4, 4), (9, 9), (12, MOST_PANELS)])
def test_vectors_have_a_panel_a_number(num_numbers: int, panels: int) -> None:
    drawn = predictions(5, num_numbers).figure()
    assert len(drawn.axes) == panels
    assert [ax.get_xlabel() for ax in drawn.axes] == [f"y[{number}], true" for number in range(panels)]
    assert ("first 9 of 12 numbers" in drawn.get_suptitle()) == (num_numbers == 12)
    assert len(residuals(3, num_numbers).figure().axes) == 2 * panels
    assert len(forecasts([stretch(3, num_numbers)] * 2, num_numbers).figure().axes) == 2 * panels


def test_every_point_lies_inside_and_is_counted() -> None:
    few, many = predictions(30, 1), predictions(3000, 1)
    for picture in (few, many):
        (low, high) = picture.figure().axes[0].get_xlim()
        for values in (picture.true, picture.predicted):
            assert low < values.min() <= values.max() < high
    dots: Any = few.figure().axes[0].collections[0]
    np.testing.assert_array_equal(dots.get_offsets(), np.column_stack([few.true, few.predicted]))
    cells: Any = many.figure().axes[0].collections[0]
    assert cells.get_array().sum() == 3000


def test_forecasts_lie_after_the_steps_that_they_were_made_at() -> None:
    shown = stretch(4, 1, DAYS)
    (ax,) = forecasts([shown]).figure().axes
    truth, *made = [line for line in ax.get_lines() if len(line.get_xdata()) > 2]
    np.testing.assert_array_equal(truth.get_ydata(), shown.true[:, 0])
    for line, origin, forecast in zip(made, shown.origins, shown.forecasts[:, :, 0], strict=True):
        np.testing.assert_array_equal(line.get_xdata(orig=True), shown.times[origin + 1 : origin + 5])
        np.testing.assert_array_equal(line.get_ydata(), forecast)


def test_bands_are_the_quantiles() -> None:
    drawn = residuals(6, 2, last=2.0)
    axes = drawn.figure().axes
    for number in (0, 1):
        wide, half, median = (patch.get_data() for patch in axes[2 * number].patches)
        for found, (upper, lower) in zip((wide, half), ((4, 0), (3, 1)), strict=True):
            np.testing.assert_array_equal(found.values, drawn.quantiles[upper, :, number])
            np.testing.assert_array_equal(found.baseline, drawn.quantiles[lower, :, number])
            np.testing.assert_array_equal(found.edges, np.arange(7) + 0.5)
        np.testing.assert_array_equal(median.values, drawn.quantiles[2, :, number])
        model, last = axes[2 * number + 1].get_lines()
        np.testing.assert_array_equal(model.get_ydata(), drawn.rmse[:, number])
        np.testing.assert_array_equal(last.get_ydata(), np.full(6, 2.0))


def test_texts_of_users_are_no_formulas() -> None:
    assert written_out("$5 to\n $10") == r"\$5 to \$10"
    assert written_out("x" * 50, most=5) == "xxxx…"
