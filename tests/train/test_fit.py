"""From sequences to a run folder and back."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import drystone as ds
from drystone.core.sequences import Sequences
from drystone.train import Run, fit
from drystone.train import fit as fit_function
from drystone.train.progress import Progress

SMALL: dict[str, Any] = {"epochs": 2, "hidden_size": 8, "progress": False}


@pytest.fixture(scope="module")
def vowels() -> Sequences:
    """Three speakers of the built-in data, in the order of the file: sorted by class."""
    whole = ds.read("japanese-vowels")
    return whole.select(np.flatnonzero(np.isin(whole.field("speaker").values, ["1", "2", "3"])))


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_run_folder_holds_everything_and_opens_again(vowels: Sequences) -> None:
    run = fit(vowels, target="speaker", valid_fraction=0.2, name="vowels", **SMALL)
    assert run.path == Path("runs/vowels-1")
    assert {file.name for file in run.path.iterdir()} == {
        "config.toml",
        "schema.json",
        "weights.safetensors",
        "metrics.jsonl",
        "plan.parquet",
        "split.parquet",
        "curves.png",
    }
    records = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert [record.get("epoch") for record in records] == [1, 2, None]
    assert {"loss", "accuracy", "steps_per_second", "valid_loss", "valid_accuracy"} <= records[0].keys()
    assert records[-1]["part"] == "test"
    plan = pq.read_table(run.path / "plan.parquet")
    assert sorted(plan["sequence"].to_pylist()) == list(range(len(run.split.train)))
    opened = Run.open(run.path)
    assert opened.settings == run.settings
    assert opened.schema == run.schema
    assert opened.predict(vowels).equals(run.predict(vowels))
    assert opened.evaluate(vowels.select(run.split.test)).accuracy == records[-1]["accuracy"]
    assert fit(vowels, target="speaker", name="vowels", **SMALL).path == Path("runs/vowels-2")


def test_a_run_repeats_to_the_bit_and_leaves_the_users_randomness_alone(vowels: Sequences) -> None:
    torch.manual_seed(123)
    expected = torch.rand(3)
    torch.manual_seed(123)
    first = fit(vowels, target="speaker", seed=4, **SMALL)
    assert torch.equal(torch.rand(3), expected)
    second = fit(vowels, target="speaker", seed=4, **SMALL)
    other = fit(vowels, target="speaker", seed=5, **SMALL)
    weights = [(run.path / "weights.safetensors").read_bytes() for run in (first, second, other)]
    assert weights[0] == weights[1] != weights[2]


@pytest.mark.parametrize(
    "layout",
    [
        {"layout": "padded", "batch_size": 7},
        {"layout": "bucketed"},
        {"layout": "bucketed", "cells": 200, "num_buckets": 3},
        {"layout": "packed", "batch_size": 16},
        {"layout": "packed", "rows": 4, "steps": 60},
    ],
)
def test_every_layout_trains(vowels: Sequences, layout: dict[str, Any]) -> None:
    run = fit(vowels, target="speaker", learning_rate=0.02, **layout, **(SMALL | {"epochs": 15}))
    assert run.metrics[-1]["accuracy"] > 0.8
    assert run.metrics[0]["loss"] > run.metrics[14]["loss"]


def test_predictions_come_in_order_whatever_their_batch_mates(vowels: Sequences) -> None:
    run = fit(vowels, target="speaker", **SMALL)
    table = run.predict(vowels)
    assert table["sequence"].to_pylist() == list(range(len(vowels)))
    assert table.column_names == ["sequence", "prediction", "probability", "p_1", "p_2", "p_3"]
    order = np.random.default_rng(0).permutation(len(vowels))
    shuffled = run.predict(vowels.select(order))
    for name in ("p_1", "p_2", "p_3"):
        np.testing.assert_allclose(shuffled[name].to_numpy(), table[name].to_numpy()[order], rtol=1e-5, atol=1e-6)
        alone = [run.predict(vowels[index : index + 1])[name][0].as_py() for index in range(5)]
        np.testing.assert_allclose(alone, table[name].to_numpy()[:5], rtol=1e-5, atol=1e-6)
    sums = sum(table[name].to_numpy() for name in ("p_1", "p_2", "p_3"))
    np.testing.assert_allclose(sums, 1.0, rtol=1e-6)


def test_statistics_come_from_the_training_part_only(vowels: Sequences) -> None:
    part = np.array(["train" if index % 2 else "test" for index in range(len(vowels))])

    def statistics(scale: float) -> torch.Tensor:
        arrays = [found["x"] * (1 if index % 2 else scale) for index, found in enumerate(vowels)]
        labels = {"speaker": vowels.field("speaker").values, "part": part}
        seqs = Sequences.from_arrays({"x": arrays}, labels)
        return fit(seqs, target="speaker", split_column="part", **SMALL).model.mean

    assert torch.equal(statistics(1.0), statistics(100.0))
    train = vowels.select(np.flatnonzero(part == "train")).field("x").values.astype(np.float64)
    np.testing.assert_allclose(statistics(1.0).numpy(), train.mean(axis=0), rtol=1e-12)


def test_constant_features_and_large_numbers_do_no_harm(vowels: Sequences) -> None:
    big = 1.7e9
    per_step = {
        "x": [found["x"] for found in vowels],
        "flat": [np.full(len(found["x"]), 0.1) for found in vowels],
        "tiny": [1e-170 * found["x"][:, 1].astype(np.float64) for found in vowels],
        "huge": [1e300 * found["x"][:, 2].astype(np.float64) for found in vowels],
        "time": [big + found["x"][:, 0].astype(np.float64) for found in vowels],
    }
    seqs = Sequences.from_arrays(per_step, {"speaker": vowels.field("speaker").values})
    assert fit(seqs, target="speaker", **SMALL).schema.features.names == ("x", "tiny", "huge", "time")
    run = fit(seqs, target="speaker", features=tuple(per_step), **SMALL)
    assert run.schema.features.names == ("x", "flat", "tiny", "huge", "time")
    assert np.isfinite(run.metrics[-1]["loss"])
    mean, spread = run.model.mean.numpy(), run.model.spread.numpy()
    assert spread[12] == 1.0
    x = vowels.select(run.split.train).field("x").values.astype(np.float64)
    np.testing.assert_allclose(spread[[13, 14, 15]] / [1e-170, 1e300, 1], x.std(axis=0)[[1, 2, 0]], rtol=1e-4)
    np.testing.assert_allclose(mean[:12], x.mean(axis=0), rtol=1e-9)
    far = {name: values[:1] for name, values in per_step.items()}
    far["x"] = [np.full(far["x"][0].shape, 1e300)]
    with pytest.raises(ds.DataError, match="sequence 0 holds numbers so far from the training data"):
        run.predict(Sequences.from_arrays(far))


def test_ctrl_c_keeps_the_weights_of_that_moment(vowels: Sequences, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Progress.show

    def show(self: Progress, sums: Any) -> None:
        if sums.epoch == 1:
            raise KeyboardInterrupt
        real(self, sums)

    assert fit(vowels, target="speaker", **SMALL).is_finished
    monkeypatch.setattr(Progress, "show", show)
    run = fit(vowels, target="speaker", **SMALL)
    assert not run.is_finished
    assert not Run.open(run.path).is_finished
    assert [record["part"] for record in run.metrics] == ["train", "test"]
    assert Run.open(run.path).predict(vowels).equals(run.predict(vowels))


def test_ctrl_c_in_the_first_epoch_without_a_test_part(vowels: Sequences, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Progress, "show", _interrupt)
    run = fit(vowels, target="speaker", test_fraction=0.0, **SMALL)
    assert run.metrics == []
    assert Run.open(run.path).predict(vowels).num_rows == len(vowels)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_run_that_fails_leaves_nothing_and_the_old_run_stays(
    vowels: Sequences, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = fit(vowels, target="speaker", out="here", **SMALL).predict(vowels)
    hopeless = {"learning_rate": 1e30, "gradient_clip": 1e30} | SMALL
    for out in ("here", "there"):
        with pytest.raises(ds.DrystoneError, match="loss is"):
            fit(vowels, target="speaker", out=out, overwrite=True, **hopeless)
    monkeypatch.setattr(import_module("drystone.train.fit"), "save_file", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit(vowels, target="speaker", out="here", overwrite=True, **SMALL)
    assert [path.name for path in Path().iterdir()] == ["here"]
    assert Run.open("here").predict(vowels).equals(old)


def test_a_loss_that_is_not_finite_stops_and_names_the_batch(vowels: Sequences) -> None:
    with pytest.raises(ds.DrystoneError, match=r"loss is (nan|inf) in epoch 1, batch \d+ .*learning_rate"):
        fit(vowels, target="speaker", learning_rate=1e30, gradient_clip=1e30, **SMALL)


def test_labels_of_every_kind_come_back_as_they_went_in(vowels: Sequences) -> None:
    numbers = vowels.field("speaker").values.astype(int)
    for labels in (numbers, numbers.astype(float), numbers > 1, [f"speaker {number}" for number in numbers]):
        seqs = Sequences.from_arrays({"x": [found["x"] for found in vowels]}, {"y": labels})
        predicted = fit(seqs, target="y", **SMALL).predict(seqs)["prediction"].to_pylist()
        assert set(predicted) <= set(np.asarray(labels).tolist())


def test_a_label_at_every_step_serves_if_it_never_changes(vowels: Sequences) -> None:
    arrays = [found["x"] for found in vowels]
    labels = [[found["speaker"]] * len(found["x"]) for found in vowels]
    seqs = Sequences.from_arrays({"x": arrays, "label": labels})
    assert fit(seqs, target="label", **SMALL).schema.classes == ("1", "2", "3")


def spoiled(vowels: Sequences, value: float) -> Sequences:
    arrays = [found["x"].copy() for found in vowels]
    arrays[17][3, 5] = value
    return Sequences.from_arrays({"x": arrays}, {"speaker": vowels.field("speaker").values})


@pytest.mark.parametrize(
    ("make", "settings", "words"),
    [
        (lambda v: spoiled(v, np.nan), {}, r"column 'x\[5\]' is nan in sequence 17, step 3"),
        (lambda v: spoiled(v, np.inf), {}, r"column 'x\[5\]' is inf in sequence 17, step 3"),
        (lambda v: v, {"target": "nope"}, "no field 'nope'; the fields are: x, speaker, part"),
        (lambda v: v, {"target": "x"}, "'x' changes in sequence 0"),
        (lambda v: v, {"features": ("x", "speaker")}, "'speaker' is the target"),
        (lambda v: v, {"features": ()}, "features is empty"),
        (lambda v: v, {"features": ("x", "x")}, "twice: x, x"),
        (lambda v: v, {"device": "meta"}, "device 'meta' cannot be used"),
        (lambda v: v, {"order_by": "nope"}, "no field 'nope'"),
        (lambda v: v[:0], {}, "no sequences"),
        (
            lambda v: v[:10],
            {"valid_fraction": 0.01, "test_fraction": 0.0},
            "no class has enough sequences for a valid part",
        ),
        (lambda v: v, {"features": ("part",)}, "'part' is text; a feature needs numbers"),
        (lambda v: v[:20], {}, "every training sequence has the label '1'"),
        (lambda v: v[:3], {"test_fraction": 0.01}, "no class has enough sequences for a test part"),
        (lambda v: v, {"layout": "packed", "rows": 2, "steps": 10}, r"lengths\[0\] is \d+; this Packed layout"),
        (lambda v: v, {"layout": "bucketed", "cells": 20}, r"lengths\[\d+\] is 2\d; this Bucketed layout"),
        (lambda v: v, {"epochs": 0}, "epochs is 0"),
        (lambda v: v, {"epoch": 3}, "no setting 'epoch'. Did you mean 'epochs'"),
        (lambda v: v, {"wibble": 3}, "no setting 'wibble'. The settings are: target"),
        (lambda v: v, {"cells": 300}, "cells goes with layout bucketed"),
        (lambda v: v, {"layout": "bucketed", "cells": 300, "batch_size": 3}, "either batch_size or cells"),
        (lambda v: v, {"layout": "packed", "rows": 3}, "rows needs steps too"),
        (lambda v: v, {"valid_fraction": 0.5, "test_fraction": 0.5}, "some sequences to train on"),
        (
            lambda v: v,
            {"split_column": "speaker"},
            "'speaker' of sequence 0 is '1'; expected one of train, valid, test",
        ),
        (lambda v: v, {"split_column": "x"}, "has a value a step"),
        (lambda v: v, {"split_column": "part", "test_fraction": 0.5}, "leave out test_fraction"),
        (lambda v: v, {"device": "cuda:7"}, "device 'cuda:7' cannot be used here"),
        (lambda v: v, {"learning_rate": float("nan")}, "learning_rate is nan"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(
    vowels: Sequences, make: Any, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ds.DrystoneError, match=words):
        fit_function(make(vowels), **({"target": "speaker"} | SMALL | settings))
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["a", None, "b"], "'y' is missing in sequence 1"),
        (["a", "", "b"], "'y' is missing in sequence 1"),
        ([1.0, float("nan"), 2.0], "'y' is missing in sequence 1"),
        ([1.0, 2.5, 2.0], "'y' is 2.5 in sequence 1"),
        ([[1, 2]] * 3, r"'y' has shape \(2,\)"),
    ],
)
def test_labels_that_are_no_classes_are_named(labels: Any, words: str) -> None:
    seqs = Sequences.from_arrays({"x": [[1.0], [2.0], [3.0]]}, {"y": labels})
    with pytest.raises(ds.DataError, match=words):
        fit(seqs, target="y", **SMALL)


def test_what_the_model_needs_is_checked_at_prediction(vowels: Sequences) -> None:
    run = fit(vowels, target="speaker", **SMALL)
    whole = ds.read("japanese-vowels")
    with pytest.raises(ds.DataError, match=r"'speaker' is '4' in sequence 90, .* seen in training: '1', '2', '3'"):
        run.evaluate(whole)
    narrow = Sequences.from_arrays({"x": [np.zeros((2, 3))]})
    with pytest.raises(ds.DataError, match=r"'x' has shape \(3,\); the model needs \(12,\)"):
        run.predict(narrow)
    with pytest.raises(ds.DataError, match="no field 'x'"):
        run.predict(Sequences.from_arrays({"z": [np.zeros((2, 12))]}))
    with pytest.raises(ds.DataError, match="sequence 17, step 3"):
        run.predict(spoiled(vowels, np.nan))


def test_keys_of_the_sequences_reach_the_settings_and_back(vowels: Sequences) -> None:
    per_step = {"x": [found["x"] for found in vowels], "t": [np.arange(len(found["x"])) for found in vowels]}
    labels = {"speaker": vowels.field("speaker").values, "prediction": np.arange(len(vowels))}
    seqs = Sequences.from_arrays(per_step, labels)
    run = fit(seqs, target="speaker", order_by="t", sequence_id="prediction", **SMALL)
    assert run.schema.features.names == ("x",)
    keyed = replace(seqs, order_by="t", sequence_id="prediction")
    run = fit(keyed, target="speaker", **SMALL)
    assert (Run.open(run.path).settings.order_by, run.schema.features.names) == ("t", ("x",))
    table = run.predict(keyed)
    assert table["prediction_id"].to_pylist() == list(range(len(vowels)))
    assert set(table["prediction"].to_pylist()) <= {"1", "2", "3"}
    with pytest.raises(ds.ConfigError, match="order_by is 'x', but the sequences were read with 't'"):
        fit(keyed, target="speaker", order_by="x", **SMALL)


def test_a_layout_needs_to_hold_the_training_part_only(vowels: Sequences) -> None:
    part = np.where(vowels.lengths > 15, "test", "train")
    labels = {"speaker": vowels.field("speaker").values, "part": part}
    seqs = Sequences.from_arrays({"x": [found["x"] for found in vowels]}, labels)
    run = fit(seqs, target="speaker", split_column="part", layout="packed", rows=2, steps=15, **SMALL)
    assert run.metrics[-1]["sequences"] == (part == "test").sum()
    first = int(np.argmax((vowels.lengths > 13) & (part == "train")))
    with pytest.raises(ds.LayoutError, match=rf"lengths\[{first}\] is"):
        fit(seqs, target="speaker", split_column="part", layout="packed", rows=2, steps=13, **SMALL)


def test_tables_and_names_serve_as_sequences(vowels: Sequences) -> None:
    table = pa.table(vowels)
    run = fit(table, target="speaker", **SMALL)
    assert run.predict(table).equals(run.predict(vowels))
    assert run.evaluate(table) == run.evaluate(vowels)
    assert repr(run).startswith("Run('runs/run-1': 'speaker' in 3 classes, 2 of 2 epochs, test accuracy 0.")
    with pytest.raises(ds.DataError, match="Did you mean 'japanese-vowels'"):
        fit("japanese-vowel", target="speaker")
    with pytest.raises(ds.DataError, match="read takes a path"):
        run.predict(vowels[0])


def test_numbers_that_never_change_are_no_usual_features(vowels: Sequences) -> None:
    per_step = {
        "x": [found["x"] for found in vowels],
        "id": [np.full(len(found["x"]), number) for number, found in enumerate(vowels)],
        "": [np.arange(len(found["x"])) for found in vowels],
    }
    seqs = Sequences.from_arrays(per_step, {"speaker": vowels.field("speaker").values})
    assert fit(seqs, target="speaker", **SMALL).schema.features.names == ("x",)
    assert fit(seqs, target="speaker", features=("x", "id"), **SMALL).schema.features.names == ("x", "id")


def test_folders_in_the_way(vowels: Sequences, tmp_path: Path) -> None:
    run = fit(vowels, target="speaker", out="here", **SMALL)
    with pytest.raises(ds.RunError, match="here exists"):
        fit(vowels, target="speaker", out="here", **SMALL)
    again = fit(vowels, target="speaker", out="here", overwrite=True, **(SMALL | {"epochs": 1}))
    assert len(again.metrics) == 2
    precious = tmp_path / "precious"
    precious.mkdir()
    assert fit(vowels, target="speaker", out="precious", **SMALL).is_finished
    for file in precious.iterdir():
        file.unlink()
    for name in ("thesis.txt", "config.toml"):
        (precious / name).write_text("years of work")
        with pytest.raises(ds.RunError, match=r"holds thesis.txt, which is not part of a run"):
            fit(vowels, target="speaker", out=precious, overwrite=True, **SMALL)
    (precious / "thesis.txt").unlink()
    with pytest.raises(ds.RunError, match="not a run folder"):
        fit(vowels, target="speaker", out=precious, overwrite=True, **SMALL)
    assert (precious / "config.toml").read_text() == "years of work"
    assert run.path == Path("here")


def test_damaged_run_folders_say_what_is_wrong(vowels: Sequences) -> None:
    path = fit(vowels, target="speaker", **SMALL).path
    with pytest.raises(ds.RunError, match="no run folder runs/none"):
        Run.open("runs/none")
    weights = path / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ds.RunError, match="does not hold the weights"):
        Run.open(path)
    weights.unlink()
    with pytest.raises(ds.RunError, match="weights.safetensors is missing"):
        Run.open(path)
    weights.write_bytes(whole)
    for name, words in (("split.parquet", "not a whole split"), ("metrics.jsonl", "not JSON")):
        file = path / name
        kept = file.read_bytes()
        file.write_bytes(kept[: len(kept) // 2])
        with pytest.raises(ds.RunError, match=words):
            _ = Run.open(path).metrics
        file.write_bytes(kept)
    (path / "schema.json").write_text('{"version": 99}')
    with pytest.raises(ds.RunError, match="version 99"):
        Run.open(path)
    (path / "schema.json").write_text('{"version": 1')
    with pytest.raises(ds.RunError, match="not a whole schema"):
        Run.open(path)
    (path / "config.toml").write_text("target = ")
    with pytest.raises(ds.ConfigError, match="not valid TOML"):
        Run.open(path)


def test_the_built_in_data_is_learned() -> None:
    record = ds.datasets.find("japanese-vowels")
    seqs = ds.read("japanese-vowels")
    run = fit(seqs, record.target, split_column=record.split_column, progress=False, **record.settings)
    assert (len(run.split.train), len(run.split.test)) == (270, 370)
    assert run.metrics[-1]["accuracy"] > 0.96
