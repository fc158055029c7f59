"""The data of pictures are what plain loops over predictions and truth find."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.core.lengths import offsets_of
from drystone.plots.confusion import Confusion
from drystone.plots.forecasts import Forecasts
from drystone.plots.predictions import Predictions
from drystone.plots.residuals import SHARES, Residuals
from drystone.train.tasks import pictures
from drystone.train.tasks.forecast import pictures as of_forecasts
from drystone.train.tasks.forecast.pictures import PLACES, Asked, Made, repeated, worst
from drystone.train.tasks.pictures import chosen, confusion, predictions
from tests.train.tasks.numbered import numbers_said, regress, weighed
from tests.train.tasks.series import ROWS, forecast, forecasts_of, waves

NAN = float("nan")


def batches_of(*pairs: tuple[Any, Any]) -> list[Any]:
    return [(np.array(said, dtype=float), np.array(true, dtype=float)) for said, true in pairs]


def test_every_pair_of_classes_is_counted_over_all_batches() -> None:
    rng = np.random.default_rng(0)
    true = [rng.integers(0, 4, size) for size in (7, 0, 1, 30)]
    said = [rng.normal(size=(len(each), 4)) for each in true]
    found = confusion(batches_of(*zip(said, true, strict=True)), "abcd", "kind", "title")["confusion.png"]
    assert isinstance(found, Confusion)
    expected = np.zeros((4, 4), dtype=int)
    for scores, of in zip(np.concatenate(said), np.concatenate(true), strict=True):
        expected[of, scores.argmax()] += 1
    np.testing.assert_array_equal(found.matrix(), expected)
    assert found.title == "title"


def test_what_is_not_finite_is_left_out_and_said() -> None:
    found = confusion(batches_of(([[1.0, 2.0], [NAN, 1.0]], [1, 0])), "ab", "kind", "title")["confusion.png"]
    assert isinstance(found, Confusion)
    assert found.matrix().tolist() == [[0, 0], [0, 1]]
    assert found.title == "title\nleft out, not finite: 1"
    numbers = batches_of(([[1.0, 2.0], [3.0, float("inf")]], [[1.0, 2.0], [3.0, 4.0]]))
    points = predictions(numbers, ["a", "b"], 2, "steps", "title")["predictions.png"]
    assert isinstance(points, Predictions)
    assert points.true.tolist() == [[1.0, 2.0]]
    assert points.title == "title\nleft out, not finite: 1"


def test_where_nothing_is_finite_there_is_no_picture() -> None:
    assert confusion(batches_of(([[NAN, NAN]], [1])), "ab", "kind", "title") == {}
    assert predictions(batches_of(([[NAN]], [[1.0]])), ["y"], 1, "steps", "title") == {}


@given(st.integers(1, 60), st.integers(1, 60))
def test_the_chosen_are_as_many_as_asked_for_and_evenly_far_apart(num_rows: int, most: int) -> None:
    place = chosen(np.arange(num_rows), num_rows, most)
    at = np.flatnonzero(place >= 0)
    assert place[at].tolist() == list(range(min(most, num_rows)))
    gaps = np.diff([*at, num_rows])
    assert at[0] == 0
    assert gaps.max() - gaps.min() <= 1
    halves = [chosen(rows, num_rows, most) for rows in np.array_split(np.arange(num_rows), 2)]
    np.testing.assert_array_equal(np.concatenate(halves), place)


def test_many_points_are_chosen_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_POINTS", 5)
    rows = np.arange(24.0).reshape(12, 2)
    found = predictions(batches_of((rows[:7], -rows[:7]), (rows[7:], -rows[7:])), ["a", "b"], 12, "steps", "title")
    (picture,) = found.values()
    assert isinstance(picture, Predictions)
    at = np.flatnonzero(chosen(np.arange(12), 12, 5) >= 0)
    np.testing.assert_array_equal(picture.predicted, rows[at])
    np.testing.assert_array_equal(picture.true, -rows[at])
    assert picture.title == "title\n5 of 12 steps, evenly chosen"


@pytest.mark.parametrize("target", ["kg", "pair"])
def test_regress_shows_what_it_predicts(target: str) -> None:
    seqs = weighed()
    run = regress(seqs, target)
    (picture,) = run.task.pictures(run.model, seqs, "title").values()
    assert isinstance(picture, Predictions)
    assert list(picture.names) == {"kg": ["kg"], "pair": ["pair[0]", "pair[1]"]}[target]
    said, true = numbers_said(run, seqs), seqs.field(target).values.reshape(len(seqs), -1)
    order = [np.lexsort(pair.T) for pair in (picture.true, true)]  # batches hold them in an order of their own
    np.testing.assert_allclose(picture.true[order[0]], true[order[1]])
    np.testing.assert_allclose(picture.predicted[order[0]], said[order[1]])


def test_tags_show_classes_or_numbers_and_of_yes_or_no_nothing() -> None:
    seqs = waves((30, 9, 21))
    x = seqs.field("z").values
    fields = {"up": x > 0, "z": x, "both": np.column_stack([x, -x]), "yes": np.column_stack([x > 0, x < 0]) * 1.0}
    split = offsets_of(seqs.lengths)[1:-1]
    tagged = ds.Sequences.from_arrays({name: np.split(values, split) for name, values in fields.items()})
    found = {}
    for target in ("up", "both", "yes"):
        settings: dict[str, Any] = {"epochs": 1, "hidden_size": 4, "progress": False, "features": ["z"]}
        run = ds.fit(tagged, target, task="tag", **settings)
        found[target] = run.task.pictures(run.model, tagged, "title")
        if target == "up":
            said = np.array(run.predict(tagged)["prediction"].to_pylist())
            expected = [[int(((fields["up"] == a) & (said == b)).sum()) for b in (False, True)] for a in (False, True)]
            matrix = found[target]["confusion.png"]
            assert isinstance(matrix, Confusion)
            assert matrix.matrix().tolist() == expected
    points = found["both"]["predictions.png"]
    assert isinstance(points, Predictions)
    assert (points.names, points.unit) == (("both[0]", "both[1]"), "steps")
    np.testing.assert_allclose(np.sort(points.true[:, 0]), np.sort(x))
    assert found["yes"] == {}


KINDS: list[dict[str, Any]] = [ROWS, {"window": 4}, {"align": "time", "steps": 5}, {"horizon": 1}, {"context": 5}]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("most", [10_000, 7])
def test_forecasts_and_their_errors_are_those_of_a_plain_loop(
    kind: dict[str, Any], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_forecasts, "MOST_POINTS", most)
    seqs = waves((60, 90, 40))
    run = forecast(seqs, test_fraction=0.3, **kind)
    part = run.part(seqs, "test")
    horizon, said = run.task.schema.outputs["horizon"], forecasts_of(run, part)
    y, base = part.field("y").values, offsets_of(part.lengths)
    lead = np.where(part.scored_steps()[0] > 0, part.scored_steps()[0] - 1, 0)  # all that comes after it is in the part
    origins = [
        (sequence, step)
        for sequence, length in enumerate(part.lengths.tolist())
        for step in range(int(lead[sequence]), length - horizon)
    ]
    kept = [origins[k] for k in np.flatnonzero(chosen(np.arange(len(origins)), len(origins), most) >= 0)]
    true = np.array([y[base[s] + t + 1 : base[s] + t + 1 + horizon] for s, t in kept])
    last = np.array([np.full(horizon, y[base[s] + t]) for s, t in kept])
    made = np.array([said[base[s] + t] for s, t in kept])
    found = run.task.pictures(run.model, part, "title")
    assert list(found) == ["forecasts.png", "residuals.png"]
    errors, shown = found["residuals.png"], found["forecasts.png"]
    assert isinstance(errors, Residuals)
    assert isinstance(shown, Forecasts)
    np.testing.assert_allclose(errors.quantiles[..., 0], np.quantile(made - true, SHARES, axis=0), atol=1e-6)
    np.testing.assert_allclose(errors.rmse[:, 0], np.sqrt(((made - true) ** 2).mean(axis=0)), rtol=1e-6)
    np.testing.assert_allclose(errors.trivial["last value"][:, 0], np.sqrt(((last - true) ** 2).mean(axis=0)))
    assert (errors.names, shown.names, shown.order) == (["y"], ["y"], "time")
    assert ("evenly chosen" in shown.title) == (most == 7)
    check_stretches(shown, part, said)
    worst_at = kept[int(((made - true) ** 2).mean(axis=1).argmax())]
    (stretch,) = [each for each in shown.stretches if "worst" in each.name]
    times = part.field("time").values
    assert stretch.times[stretch.origins[0]] == times[base[worst_at[0]] + worst_at[1]]


def check_stretches(shown: Forecasts, part: ds.Sequences, said: np.ndarray[Any, Any]) -> None:
    """Each begins in one series, names it, holds its truth, and the forecasts made there, one after the other."""
    assert {word for each in shown.stretches for word in each.name.split(": ")[0].split(", ")} == {*PLACES, "worst"}
    base, names = offsets_of(part.lengths), part.field("pump").values.tolist()
    for stretch in shown.stretches:
        sequence = names.index(stretch.name.split(": ")[1])
        own = slice(base[sequence], base[sequence + 1])
        times, y, forecasts = part.field("time").values[own], part.field("y").values[own], said[own]
        begin = int(np.flatnonzero(times == stretch.times[0])[0])
        np.testing.assert_array_equal(stretch.times, times[begin : begin + len(stretch.times)])
        np.testing.assert_array_equal(stretch.true[:, 0], y[begin : begin + len(stretch.times)])
        assert stretch.origins.min() >= 0
        assert (np.diff(stretch.origins) >= stretch.forecasts.shape[1]).all()
        np.testing.assert_allclose(stretch.forecasts[..., 0], forecasts[begin + stretch.origins], rtol=1e-9)


def asked_of(y: list[Any], horizon: int) -> Asked:
    seqs = ds.Sequences.from_arrays({"a,b": y, "t": [range(len(each)) for each in y]})
    lengths = seqs.lengths
    first = np.zeros_like(lengths)
    return Asked(
        seqs=seqs, target="a,b", targets="ahead", horizon=horizon, first=first, count=lengths - horizon, ends_only=True
    )


def in_twos(forecasts: np.ndarray[Any, Any]) -> Any:
    """All forecasts, two a batch, from the last to the first."""
    for begin in reversed(range(0, len(forecasts), 2)):
        yield np.arange(begin, min(begin + 2, len(forecasts))), forecasts[begin : begin + 2]


def test_several_targets_have_errors_of_their_own() -> None:
    rng = np.random.default_rng(0)
    y = [rng.normal(size=(length, 2)) * [1.0, 100.0] for length in (200, 12)]
    asked = asked_of(y, 3)
    true = np.array([each[t + 1 : t + 4] for each in y for t in range(len(each) - 3)])
    errors = rng.normal(size=true.shape) * [1.0, 10.0]
    errors[20, :, 0] = 30.0  # the worst in units of each target's spread
    made = true + errors
    made[4, 1, 1] = NAN
    found = of_forecasts.pictures(asked, in_twos(made), {"day": 2}, "title")
    residuals, shown = found["residuals.png"], found["forecasts.png"]
    assert isinstance(residuals, Residuals)
    assert isinstance(shown, Forecasts)
    kept = np.delete(errors, 4, axis=0)
    np.testing.assert_allclose(residuals.quantiles, np.quantile(kept, SHARES, axis=0))
    np.testing.assert_allclose(residuals.rmse, np.sqrt((kept**2).mean(axis=0)))
    assert residuals.title == "title\nleft out, not finite: 1"
    assert (residuals.names, shown.names, shown.order) == (["a", "b"], ["a", "b"], "step")
    assert [each.name for each in shown.stretches] == ["first: 0", "middle: 0", "worst: 0"]
    assert shown.stretches[2].times[shown.stretches[2].origins[0]] == 20


def test_nothing_finite_no_picture() -> None:
    asked = asked_of([np.ones((6, 2))], 2)
    assert of_forecasts.pictures(asked, in_twos(np.full((4, 2, 2), NAN)), {}, "title") == {}


def test_one_forecast_is_first_and_last_and_worst() -> None:
    asked = asked_of([np.arange(4.0)[:, None]], 3)
    found = of_forecasts.pictures(asked, in_twos(np.ones((1, 3, 1))), {"last value": 1}, "title")
    shown = found["forecasts.png"]
    assert isinstance(shown, Forecasts)
    assert [each.name.count(",") for each in shown.stretches] == [len(PLACES) if len(shown.names) == 1 else 2]
    assert shown.names == ["a,b[0]"]


@given(st.integers(1, 5), st.integers(1, 4), st.lists(st.integers(2, 9), min_size=1, max_size=3))
def test_trivial_forecasts_repeat_what_was_a_period_ago(period: int, horizon: int, lengths: list[int]) -> None:
    lengths = [length + horizon for length in lengths]
    rng = np.random.default_rng(0)
    y = [rng.normal(size=(length, 2)) for length in lengths]
    asked = asked_of(y, horizon)
    number = np.arange(asked.num_origins)
    sequence, position = asked.origins(number)
    nothing = np.zeros((len(number), horizon, 2))
    made = Made(number=number, sequence=sequence, position=position, forecasts=nothing, true=nothing, num_lost=0)
    expected = []
    for each in y:
        for step in range(len(each) - horizon):
            for ahead in range(1, horizon + 1):
                at = step + ahead
                while at > step:
                    at -= period
                expected.append(each[at] if at >= 0 else [NAN, NAN])
    np.testing.assert_array_equal(repeated(asked, made, period).reshape(-1, 2), expected)


def test_the_worst_is_the_worst_though_errors_overflow() -> None:
    nothing = np.zeros((3, 1, 1))
    made = Made(
        number=np.arange(3),
        sequence=np.zeros(3, dtype=int),
        position=np.arange(3),
        forecasts=np.array([1.0, 1e300, 2.0]).reshape(3, 1, 1),
        true=nothing,
        num_lost=0,
    )
    assert worst(made) == 1
