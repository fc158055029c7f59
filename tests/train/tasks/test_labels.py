"""Several labels at once: what is said of them, the figures, the parts, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.core.column import Column
from drystone.train import Run
from drystone.train.tasks.classify.labels import strata_of
from tests.train.tasks.labelled import NAMES, fitted, labelled

TARGET = ",".join(NAMES)


def f1_of(said: Any, true: Any) -> float:
    right = (said & true).sum()
    wrong = (said ^ true).sum()
    return 2 * right / (2 * right + wrong) if right + wrong else 0.0


@pytest.mark.parametrize(
    "layout",
    [{}, {"layout": "bucketed", "num_buckets": 2, "batch_size": 5}, {"layout": "packed", "rows": 3, "steps": 20}],
    ids=str,
)
def test_every_layout_trains_and_opens_again(layout: dict[str, Any]) -> None:
    seqs = labelled()
    run = fitted("tags", seqs, valid_fraction=0.2, monitor="f1", **layout)
    assert (run.settings.task, run.settings.label_smoothing, str(run.task)) == ("classify", 0.0, "'tags': 3 yes/no")
    opened = Run.open(run.path)
    assert (opened.settings, opened.schema) == (run.settings, run.schema)
    assert opened.predict(seqs).equals(run.predict(seqs))
    scores = opened.evaluate(opened.part(seqs, "test"))
    assert {name: run.metrics[-1][name] for name in ("loss", "accuracy", "f1", "micro_f1")} == {
        "loss": scores.loss, "accuracy": scores.accuracy, "f1": scores.f1, "micro_f1": scores.micro_f1,
    }  # fmt: skip


def test_it_learns_labels() -> None:
    run = fitted("tags", labelled(300), epochs=20, hidden_size=16, learning_rate=0.02)
    test = run.metrics[-1]
    marginal = test["baselines"]["marginal"]
    assert test["accuracy"] > 0.6 > 0.5 > marginal["accuracy"]
    assert test["micro_f1"] > 0.8 > marginal["micro_f1"]
    assert test["loss"] < marginal["loss"]


def test_figures_are_those_of_the_predictions() -> None:
    seqs = labelled(60)
    run = fitted(TARGET, seqs, epochs=6, learning_rate=0.05)
    table, true, scores = run.predict(seqs), seqs.field("tags").values, run.evaluate(seqs)
    p = np.column_stack([table[f"p_{name}"] for name in NAMES])
    said = p > 0.5
    assert table.column_names == ["sequence", "prediction", *(f"p_{name}" for name in NAMES)]
    assert table["prediction"].to_pylist() == [[n for n, yes in zip(NAMES, row, strict=True) if yes] for row in said]
    assert 0 < said.sum() < said.size
    assert scores.accuracy == pytest.approx((said == true).all(axis=1).mean())
    assert scores.micro_f1 == pytest.approx(f1_of(said, true))
    assert scores.f1 == pytest.approx(np.mean([f1_of(said[:, at], true[:, at]) for at in range(3)]))
    loss = -(np.log(p) * true + np.log1p(-p) * ~true).sum(axis=1).mean()
    assert scores.loss == pytest.approx(loss, rel=1e-5)


@given(said=st.lists(st.integers(0, 3), min_size=1, max_size=30), seed=st.integers(0, 9))
def test_f1_of_classes_is_that_of_a_plain_count(said: list[int], seed: int) -> None:
    import torch

    from drystone.train.tasks.outputs.classes import Classes

    true = np.random.default_rng(seed).integers(0, 4, len(said))
    metric = Classes(("a", "b", "c", "d")).metrics()["f1"]
    metric.update(torch.nn.functional.one_hot(torch.tensor(said), 4).double(), torch.from_numpy(true))
    seen = sorted({*said, *true.tolist()})
    assert float(metric.compute()) == pytest.approx(
        np.mean([f1_of(np.array(said) == one, true == one) for one in seen]), abs=1e-6
    )


def test_the_baseline_says_what_most_of_the_training_part_has() -> None:
    seqs = labelled()
    run = fitted("tags", seqs)
    train, test = (seqs.field("tags").values[part] for part in (run.split.train, run.split.test))
    share = (train.sum(axis=0) + 0.5) / (len(train) + 1)
    found = run.metrics[-1]["baselines"]["marginal"]
    assert found["accuracy"] == pytest.approx(((share > 0.5) == test).all(axis=1).mean())
    assert found["loss"] == pytest.approx(-(np.log(share) * test + np.log(1 - share) * ~test).sum(axis=1).mean())


def test_one_label_and_labels_that_repeat_at_all_steps_serve() -> None:
    x = [[number + 1.0, 2.0] if number % 3 != 1 else [3.0] for number in range(12)]
    one = ds.Sequences.from_arrays({"x": x}, {"y": [[0], [1], [0]] * 4})
    assert fitted("y", one).task.output_names == ("p_y[0]",)
    steps = ds.Sequences.from_arrays({"x": x, "y": [[[1, 0]] * 2, [[0, 1]], [[1, 1]] * 2] * 4})
    run = fitted("y", steps)
    assert (run.settings.task, run.task.output_names) == ("classify", ("p_y[0]", "p_y[1]"))


def test_each_part_has_its_share_of_rare_labels() -> None:
    tags = np.zeros((100, 3), dtype=int)
    tags[:, 0] = 1
    tags[::2, 1] = 1
    tags[:10, 2] = 1
    seqs = ds.Sequences.from_arrays({"x": [[float(at), 0.0] for at in range(100)]}, {"y": tags})
    assert np.bincount(strata_of(seqs, "y") + 1).tolist() == [0, 10, 45, 45]
    tags[:, 0] = 0
    seqs = ds.Sequences.from_arrays({"x": [[float(at), 0.0] for at in range(100)]}, {"y": tags[:, 1:]})
    run = fitted("y", seqs)
    assert tags[run.split.test].sum(axis=0).tolist() == [0, 10, 2]


def test_they_go_on_step_by_step() -> None:
    seqs = labelled()
    run = fitted(TARGET, seqs, bidirectional=False, pooling="mean+max")
    predictor, table = run.predictor(), run.predict(seqs)
    for step in seqs[2]["x"]:
        found = predictor.step({"a": step})["a"]
    np.testing.assert_allclose(found, [table[name][2].as_py() for name in run.task.output_names], rtol=1e-5)
    told = run.task.columns(np.asarray(found)[None])
    assert told["prediction"] == [table["prediction"][2].as_py()]


@pytest.mark.parametrize(
    ("labels", "settings", "words"),
    [
        ([[0, 1], [2, 0], [1, 1]], {}, r"target 'y' is \[2, 0\] in sequence 1, of shape \(2,\); .* 0 or 1 each"),
        ([[0.0, 1.0], [1.0, np.nan], [1.0, 1.0]], {}, r"target 'y' is \[1.0, nan\] in sequence 1"),
        ([[0, 1]] * 3, {}, "all answers of target 'y' are always the same, so there is nothing to learn"),
        ([[0, 1], [1, 0], [1, 1]], {"monitor": "frame_accuracy"}, "the figures are: loss, accuracy, f1, micro_f1"),
        ([0, 0, 0], {}, "target 'y' is 0 in every training sequence; .* Take another target, or add data"),
    ],
    ids=str,
)
def test_bad_labels_are_named_and_nothing_is_written(labels: Any, settings: dict[str, Any], words: str) -> None:
    seqs = ds.Sequences.from_arrays({"x": [[1.0], [2.0], [3.0]]}, {"y": labels})
    with pytest.raises(ds.DrystoneError, match=words):
        fitted("y", seqs, task="classify", test_fraction=0.0, **settings)
    assert list(Path().iterdir()) == []


def test_other_labels_at_evaluation_are_named() -> None:
    run = fitted("tags")
    for labels, words in (
        ([[0, 1]], r"target 'tags' has shape \(2,\) a sequence; the model says \(3,\)"),
        (["a"], "target 'tags' is text a sequence; the model says numbers or yes/no"),
    ):
        with pytest.raises(ds.DataError, match=words):
            run.evaluate(ds.Sequences.from_arrays({"x": [np.zeros((2, 2))]}, {"tags": labels}))


def test_lists_of_text_are_told_how_to_become_labels() -> None:
    with pytest.raises(ds.DataError, match="one string a value. Several labels of a sequence are a vector of 0 and 1"):
        ds.Sequences.from_arrays({"x": [[1.0], [2.0]]}, {"y": [["rock", "live"], ["pop", "live"]]})


def test_a_label_that_never_changes_in_training_is_warned_of() -> None:
    labels = {"y": [[0, 1], [0, 0], [1, 1]], "part": ["train", "train", "test"]}
    seqs = ds.Sequences.from_arrays({"x": [[1.0], [2.0], [3.0]]}, labels)
    with pytest.warns(UserWarning, match=r"all training sequences say the same of 'y\[0\]'"):
        fitted("y", seqs, split_column="part")


def test_what_a_run_keeps_can_be_read() -> None:
    run = fitted("tags")
    assert json.loads((run.path / "schema.json").read_text())["outputs"] == {"yes/no": [3]}


def test_classes_may_be_the_largest_whole_numbers() -> None:
    ids = np.array([1, 2**63 + 5, 2**64 - 1], dtype=np.uint64)[np.arange(30) % 3]
    seqs = replace(labelled(30), sequence_columns={"y": Column(ids)})
    run = fitted("y", seqs, task="classify")
    assert Run.open(run.path).evaluate(seqs).sequences == 30
    assert set(run.predict(seqs)["prediction"].to_pylist()) <= set(ids.tolist())


def test_a_class_too_large_for_the_type_of_the_others_is_none_of_them() -> None:
    seqs = labelled(30)
    small, large = (replace(seqs, sequence_columns={"y": Column(np.array([0, each], dtype=np.uint64)[np.arange(30) % 2])})
                    for each in (1, 2**64 - 1))  # fmt: skip
    run = fitted("y", small, task="classify")
    with pytest.raises(ds.DataError, match="target 'y' is 18446744073709551615 in sequence 1, which was not among"):
        run.evaluate(large)
