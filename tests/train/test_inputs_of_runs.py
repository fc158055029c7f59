"""Runs whose inputs are categories, calendars, gaps and values a sequence, from training to streams."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import drystone as ds
from drystone.train import Run
from drystone.train.features.feature import Feature, Features
from drystone.train.follow.line import LineError, read_line

LENGTHS = (9, 4, 1, 7) * 3
MIXED: dict[str, Any] = {
    "features": ("x", "word", "store"),
    "categories": ("store",),
    "calendar": ("hour",),
    "missing": "indicator",
}


def series(lengths: tuple[int, ...] = LENGTHS, *, gaps: bool = True) -> ds.Sequences:
    rng = np.random.default_rng(3)
    x = [
        np.where(rng.random(n) < 0.3 * gaps, np.nan, rng.normal(size=n) + number % 2)
        for number, n in enumerate(lengths)
    ]
    words = [rng.choice(["a", "b", "c"], n).tolist() for n in lengths]
    times = [np.datetime64("2024-05-01T00:00:00") + np.arange(n) * np.timedelta64(3, "h") for n in lengths]
    count = len(lengths)
    seqs = ds.Sequences.from_arrays(
        {"x": x, "word": words, "when": times},
        {
            "store": [number % 3 for number in range(count)],
            "way": ["up", "down"] * (count // 2),
            "height": [float(number) for number in range(count)],
            "width": [2.0 * number + 1 for number in range(count)],
        },
    )
    return replace(seqs, order_by="when")


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    def run(seqs: ds.Sequences, target: str, **settings: Any) -> Run:
        small = {"hidden_size": 4, "epochs": 1, "progress": False, "test_fraction": 0.34}
        return ds.fit(seqs, target, out=tmp_path_factory.mktemp("runs") / "run", **{**small, **settings})

    return run


@pytest.fixture(scope="module")
def mixed(train: Callable[..., Run]) -> Run:
    return train(series(), "way", bidirectional=False, **MIXED)


def test_an_opened_run_predicts_the_same(mixed: Run) -> None:
    assert Run.open(mixed.path).predict(series()).equals(mixed.predict(series()))


def test_predictions_are_those_of_one_sequence_at_a_time(mixed: Run) -> None:
    together = np.asarray(mixed.predict(series())["p_up"])
    alone = [mixed.predict(series()[at : at + 1])["p_up"][0].as_py() for at in range(len(LENGTHS))]
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_a_stream_says_what_predict_says(mixed: Run) -> None:
    seqs = series()
    features = mixed.schema.features
    words, stores = (features.named(name).categories for name in ("word", "store"))
    predictor = mixed.predictor()
    for x, word, when in zip(*(seqs[0][name] for name in ("x", "word", "when")), strict=True):
        hour = (when - when.astype("M8[D]")) / np.timedelta64(1, "h")
        store = stores.index(int(seqs[0]["store"])) + 1
        found = predictor.step({"a": [x, words.index(word) + 1, store, hour]})["a"]
    expected = mixed.predict(seqs[:1])
    assert found.tolist() == pytest.approx([expected[name][0].as_py() for name in mixed.task.output_names], rel=1e-5)
    with pytest.raises(ds.StreamInputError, match="feature 0 of step 0 is inf"):
        predictor.step({"b": [np.inf, 1, 1, 0.0]})


def test_a_stream_refuses_what_misses_where_the_last_value_would_be_repeated(train: Callable[..., Run]) -> None:
    predictor = train(series(), "way", features=("x",), missing="ffill", bidirectional=False).predictor()
    predictor.step({"a": [1.0]})
    with pytest.raises(ds.StreamInputError, match="feature 0 of step 0 is nan"):
        predictor.step({"a": [np.nan]})


def test_lines_hold_categories_as_they_were_and_null_for_what_misses(mixed: Run) -> None:
    line = {"stream": "s", "x": None, "word": "b", "store": 2, "hour of when": 4.5}
    values = read_line(json.dumps(line).encode(), mixed.schema.features).values
    np.testing.assert_array_equal(values, [[np.nan, 2, 3, 4.5]])
    many = {"stream": "s", "x": [1, None], "word": ["zz", None], "store": [0, 1], "hour of when": [0, 3]}
    values = read_line(json.dumps(many).encode(), mixed.schema.features).values
    np.testing.assert_array_equal(values, [[1, 0, 1, 0], [np.nan, 0, 2, 3]])
    with pytest.raises(LineError, match=r'field \'word\' is an object; give a category, such as "a"'):
        read_line(json.dumps({**line, "word": {}}).encode(), mixed.schema.features)


def test_a_line_with_empty_text_is_refused_where_nothing_may_miss() -> None:
    features = Features((Feature(name="word", kind="category", categories=("a", "b")),))
    with pytest.raises(LineError, match=r'field \'word\' is empty; give a category, such as "a"'):
        read_line(b'{"stream": "s", "word": ["a", ""]}', features)


def test_exports_refuse_in_words_what_they_do_not_know(mixed: Run, tmp_path: Path) -> None:
    with pytest.raises(
        ds.ConfigError, match=r"the features 'x', 'word', 'store', 'hour of when' are categories, parts"
    ):
        mixed.export(tmp_path / "m.torch", to="torch")


def test_another_run_has_the_same_weights_to_the_bit(train: Callable[..., Run], mixed: Run) -> None:
    again = train(series(), "way", bidirectional=False, **MIXED)
    weights = mixed.model.state_dict()
    assert all(torch.equal(found, weights[name]) for name, found in again.model.state_dict().items())


def test_a_field_that_misses_is_named(mixed: Run) -> None:
    without = {name: column for name, column in series().step_columns.items() if name != "word"}
    with pytest.raises(ds.DataError, match="there is no field 'word'"):
        mixed.predict(replace(series(), step_columns=without))


@pytest.mark.parametrize("layout", ["padded", "bucketed", "packed"])
def test_several_fields_are_one_target(train: Callable[..., Run], layout: str) -> None:
    run = train(series(), "height,width", features=("x",), missing="ffill", layout=layout, valid_fraction=0.2)
    assert run.settings.task == "regress"
    assert run.predict(series()).num_rows == len(LENGTHS)
    assert run.evaluate(run.part(series(), "test")).baselines.keys() == {"mean"}
    plain = {name: column for name, column in series().sequence_columns.items() if name not in ("height", "width")}
    assert run.predict(replace(series(), sequence_columns=plain)).equals(run.predict(series()))


def test_a_target_among_the_inputs_is_refused(train: Callable[..., Run]) -> None:
    with pytest.raises(ds.DataError, match="field 'width' is the target; it cannot be a feature too"):
        train(series(), "height,width", features=("width",))


def test_the_target_of_a_tag_ahead_may_be_a_category_among_the_inputs(train: Callable[..., Run]) -> None:
    run = train(series(), "word", task="tag", ahead=1, missing="indicator")
    assert run.schema.features.names == ("x", "word")
    table = run.predict(series())
    assert set(table["prediction"].to_pylist()) <= {"a", "b", "c"}


def test_features_are_chosen_from_the_training_part_alone(train: Callable[..., Run]) -> None:
    seqs = series(gaps=False)
    values = np.where(np.arange(seqs.num_steps) == 0, "only here", seqs.field("word").values)
    step_columns = {"x": seqs.field("x").values, "word": values}
    offsets = np.concatenate([[0], np.cumsum(seqs.lengths)])
    parts = ["test", *["train"] * (len(seqs) - 1)]
    odd = ds.Sequences.from_ragged(offsets, step_columns, {"way": seqs.field("way").values, "part": parts})
    with pytest.warns(UserWarning, match="1 value of 'word' was not seen in training, the first 'only here'"):
        run = train(odd, "way", split_column="part", test_fraction=None)
    assert run.schema.features.named("word").categories == ("a", "b", "c")


@pytest.mark.parametrize("base", ["none", "last"])
def test_what_is_known_ahead_is_read_ahead_and_there_is_no_forecast_without_it(
    train: Callable[..., Run], base: str
) -> None:
    load = series((40, 35), gaps=False)
    settings: dict[str, Any] = {
        "task": "forecast",
        "horizon": 2,
        "features": ("x",),
        "calendar": ("hour",),
        "known_ahead": ("hour",),
        "rows": 2,
        "steps": 8,
        "base": base,
    }
    run = train(load, "x", **settings)
    assert run.schema.features.columns == ("x", "hour of when", "hour of when ahead[0]", "hour of when ahead[1]")
    table = run.predict(load)
    nulls = [
        step for step, found in zip(table["step"].to_pylist(), table["x+1"].to_pylist(), strict=True) if found is None
    ]
    assert nulls == [38, 39, 33, 34]
    predictor = run.predictor()
    hours = [step * 3.0 % 24 for step in range(40)]
    rows = [[x, *hours[at : at + 3]] for at, x in enumerate(load[0]["x"][:38])]
    found = predictor.step({"a": rows})["a"]
    expected = np.stack([np.asarray(table[name])[:38] for name in ("x+1", "x+2")], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
