"""What a model is trained on, and what it predicts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

import drystone as ds
from drystone.core.sequences import Sequences
from drystone.train import Ended, EpochEnded, Event, Run, Updated, fit, resume
from tests.train.small import SMALL
from tests.train.stopping import stopping_after


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


def test_who_watches_hears_every_event_also_of_a_run_that_goes_on(vowels: Sequences, tmp_path: Path) -> None:
    heard: list[Event] = []
    with stopping_after(3):
        fit(vowels, "speaker", out=tmp_path / "run", watch=heard.append, **SMALL)
    assert [event.update for event in heard if isinstance(event, Updated)] == [1, 2, 3]
    run = resume(tmp_path / "run", vowels, progress=False, watch=heard.append)
    updates = [event.update for event in heard if isinstance(event, Updated)]
    assert updates == list(range(1, len(updates) + 1))
    assert isinstance(heard[-1], Ended)
    figures = [event.figures["loss"] for event in heard if isinstance(event, EpochEnded)]
    assert figures == [record["loss"] for record in run.metrics if record["part"] == "train"]


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


def test_a_validation_part_that_no_column_states_is_drawn_from_the_training_part(vowels: Sequences) -> None:
    stated = fit(vowels, target="speaker", split_column="part", **SMALL).split
    settings = SMALL | {"split_column": "part", "valid_fraction": 0.2, "patience": 1}
    run = fit(vowels, target="speaker", **settings)
    assert run.split.test.tolist() == stated.test.tolist()
    assert sorted([*run.split.train, *run.split.valid]) == stated.train.tolist()
    labels, counts = np.unique(vowels.field("speaker").values[run.split.valid], return_counts=True)
    assert (labels.tolist(), counts.tolist()) == (["1", "2", "3"], [6, 6, 6])
    parts = np.where(np.arange(len(vowels)) % 3 == 0, "valid", vowels.field("part").values)
    whole = Sequences.from_arrays(
        {"x": [found["x"] for found in vowels]}, {"speaker": vowels.field("speaker").values, "part": parts}
    )
    with pytest.raises(ds.ConfigError, match="'part' states a validation part; leave out valid_fraction"):
        fit(whole, target="speaker", **settings)


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


def test_a_loss_that_is_not_finite_stops_and_names_the_batch(vowels: Sequences) -> None:
    with pytest.raises(
        ds.NotFiniteError,
        match=r"(loss|gradient) is .*(nan|inf).* in epoch 1, batch \d+ \(update \d+\), of sequence \d+.*learning_rate",
    ):
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
    assert fit(seqs, target="label", **SMALL).schema.outputs == {"classes": ["1", "2", "3"]}


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
    assert repr(run).startswith("Run('runs/run-1': 'speaker' in 3 classes, 2 epochs, test accuracy 0.")
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


@pytest.mark.slow
def test_the_built_in_data_is_learned() -> None:
    record = ds.datasets.find("japanese-vowels")
    seqs = ds.read("japanese-vowels")
    run = fit(seqs, record.target, split_column=record.split_column, progress=False, **record.settings)
    assert (len(run.split.train), len(run.split.test)) == (270, 370)
    assert run.metrics[-1]["accuracy"] > 0.96
