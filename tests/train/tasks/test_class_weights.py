"""Weighted and smoothed losses are those of a plain loop in float64, whatever the layout; evaluations stay unweighted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import drystone as ds
from drystone.core.layouts import Layout
from drystone.torch.batch import to_tensors
from drystone.train import Run, Settings
from tests.train.tasks.labelled import fitted, labelled, plain_logits

LAYOUTS: list[Layout] = [ds.Padded(3), ds.Bucketed(num_buckets=2, batch_size=5), ds.Packed(rows=2, steps=13)]
KINDS: dict[str, dict[str, Any]] = {
    "way": {"task": "classify", "label_smoothing": 0.1},
    "tags": {"task": "classify", "label_smoothing": 0.2},
    "word": {"task": "tag", "label_smoothing": 0.3},
    "keys": {"task": "tag"},
}
EXPLICIT: dict[str, dict[str, float]] = {
    "way": {"hot": 5, "cold": 0.5},
    "tags": {"tags[2]": 4},
    "word": {"up": 3},
    "keys": {"keys[1]": 2.5},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Runs in float64 whose training part is all that there is, made once for their settings."""
    folder, made = tmp_path_factory.mktemp("runs"), dict[str, Run]()

    def run(target: str, weights: Any) -> Run:
        key = f"{target} {weights}"
        if key not in made:
            given = KINDS[target] | {"precision": "64-true", "test_fraction": 0.0, "class_weights": weights}
            made[key] = fitted(target, out=folder / str(len(made)), epochs=1, features=("x",), **given)
        return made[key]

    return run


def items(target: str) -> list[Any]:
    """The targets of all items: classes, or lists of yes/no."""
    return labelled().field(target).values.tolist()


def plain_weights(target: str, weights: Any) -> Callable[[int, Any], float]:
    """From the number of an answer and its value to its weight."""
    if weights is None:
        return lambda _answer, _value: 1.0
    every = [item if isinstance(item, list) else [item] for item in items(target)]
    if weights == "balanced":

        def balanced(answer: int, value: Any) -> float:
            column = [item[answer] for item in every]
            return len(column) / (len(set(column)) * column.count(value))

        return balanced
    if isinstance(items(target)[0], list):
        return lambda answer, value: weights.get(f"{target}[{answer}]", 1.0) if value else 1.0
    return lambda _answer, value: weights.get(value, 1.0)


def plain_sums(run: Run, target: str, weights: Any) -> tuple[torch.Tensor, float]:
    """Σ weighted loss and Σ weight, one item after the other."""
    seqs, smoothing = labelled(), run.settings.label_smoothing or 0.0
    weight_of = plain_weights(target, weights)
    logits = torch.cat([plain_logits(run, found["x"]).reshape(-1, run.model.head.out_features) for found in seqs])
    loss, total = torch.zeros((), dtype=torch.float64), 0.0
    classes = None if isinstance(items(target)[0], list) else sorted(set(items(target)))
    for said, wanted in zip(logits, items(target), strict=True):
        if classes is not None:
            logs = said.log_softmax(dim=0)
            share = torch.full_like(logs, smoothing / len(classes))
            share[classes.index(wanted)] += 1 - smoothing
            weight = weight_of(0, wanted)
            loss, total = loss - weight * (share * logs).sum(), total + weight
            continue
        for answer, is_yes in enumerate(wanted):
            share = is_yes * (1 - smoothing) + smoothing / 2
            p = said[answer].sigmoid()
            weight = weight_of(answer, is_yes)
            loss = loss - weight * (share * p.log() + (1 - share) * (1 - p).log())
            total += weight / len(wanted)
    return loss, total


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("how", ["none", "balanced", "explicit"])
@pytest.mark.parametrize("target", KINDS)
def test_sums_and_gradients_are_those_of_a_plain_loop(
    runs: Callable[..., Run], target: str, how: str, layout: Layout
) -> None:
    weights = {"none": None, "balanced": "balanced", "explicit": EXPLICIT[target]}[how]
    run, seqs = runs(target, weights), labelled()
    task = run.task
    laid_out = task.to_train_on(seqs)
    objective = task.objective(laid_out)
    loss, total = torch.zeros((), dtype=torch.float64), 0.0
    for host in ds.Loader(laid_out, layout, fields=task.fields(laid_out)):
        outcome = objective(run.model, to_tensors(host), None)
        loss, total = loss + outcome.loss, total + outcome.weight
    expected, expected_total = plain_sums(run, target, weights)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-11)
    assert total == pytest.approx(expected_total, rel=1e-12)
    parameters = list(run.model.parameters())
    for found, wanted in zip(
        torch.autograd.grad(loss, parameters), torch.autograd.grad(expected, parameters), strict=True
    ):
        assert torch.allclose(found, wanted, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("target", KINDS)
def test_balanced_weights_are_one_on_average_and_evaluation_has_none(runs: Callable[..., Run], target: str) -> None:
    run, seqs = runs(target, "balanced"), labelled()
    count = len(items(target))
    assert plain_sums(run, target, "balanced")[1] == pytest.approx(count)
    plain = Run.open(runs(target, None).path)
    plain.model.load_state_dict(run.model.state_dict())
    assert run.evaluate(seqs).loss == pytest.approx(plain.evaluate(seqs).loss, rel=1e-12)


def test_weights_come_from_the_training_part_alone() -> None:
    labels = {"y": ["a"] * 6 + ["b"] * 2 + ["b"] * 8, "part": ["train"] * 8 + ["test"] * 8}
    seqs = ds.Sequences.from_arrays({"x": [[float(at), 1.0] for at in range(16)]}, labels)
    run = fitted("y", seqs, split_column="part", class_weights="balanced")
    (batch,) = ds.Loader(run.part(seqs, "train"), ds.Padded(8, order="given"), fields=("x",))
    assert run.task.objective(run.part(seqs, "train"))(run.model, to_tensors(batch), None).weight == pytest.approx(8)
    (batch,) = ds.Loader(run.part(seqs, "train")[:6], ds.Padded(8, order="given"), fields=("x",))
    objective = run.task.objective(run.part(seqs, "train"))
    assert objective(run.model, to_tensors(batch), None).weight == pytest.approx(6 * 8 / (2 * 6))


def test_rare_classes_are_found_more_often_with_weights() -> None:
    rng = np.random.default_rng(0)
    rare = rng.random(400) < 0.08
    seqs = ds.Sequences.from_arrays(
        {"x": [rng.normal(size=(4, 1)) + 0.8 * is_rare for is_rare in rare]}, {"y": np.where(rare, "rare", "usual")}
    )
    figures = [
        fitted("y", seqs, epochs=12, learning_rate=0.02, class_weights=weights).metrics[-1]["f1"]
        for weights in (None, "balanced")
    ]
    assert figures[1] > figures[0]


def test_settings_are_kept_and_read_again(tmp_path: Path) -> None:
    run = fitted("way", class_weights={"hot": 5, "warm": 2.5}, valid_fraction=0.2, monitor="f1", patience=1)
    assert Settings.load(run.path / "config.toml") == run.settings
    assert run.settings.class_weights == {"hot": 5.0, "warm": 2.5}
    assert ds.Run.open(run.path).settings.monitor == "f1"
    text = Settings.of(target="y", task="classify", class_weights="hot=5, warm=2.5")
    assert text.class_weights == run.settings.class_weights
    numbers = fitted("id", class_weights={3: 2.0}, test_fraction=0.0)
    assert numbers.settings.class_weights == {"3": 2.0}
    assert list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("target", "settings", "words"),
    [
        (
            "way",
            {"class_weights": {"boiling": 2}},
            "names 'boiling', which 'way' does not have; it has: cold, hot, warm",
        ),
        (
            "tags",
            {"class_weights": {"tags": 2}},
            r"names 'tags', which 'tags' does not have; it has: tags\[0\], tags\[1\]",
        ),
        (
            "way",
            {"class_weights": {"hot": 0}},
            "class_weights is .*: the weight of 'hot' is 0; expected a number above 0",
        ),
        ("way", {"class_weights": {"hot": float("inf")}}, "the weight of 'hot' is inf"),
        ("way", {"class_weights": {"hot": "much"}}, "the weight of 'hot' is 'much'"),
        ("way", {"class_weights": "even"}, "class_weights is 'even': expected balanced, or a weight .* cold=1,hot=5"),
        ("way", {"class_weights": "hot=1,hot=2"}, "expected balanced, or a weight"),
        ("way", {"class_weights": 3}, "class_weights.* is 3"),
        ("word", {"class_weights": {"down": 2}}, "names 'down', which 'word' does not have; it has: left, right, up"),
        ("x", {"features": ("x",), "task": "tag", "ahead": 1, "class_weights": "balanced"}, "which have no classes"),
        ("x", {"features": ("x",), "task": "tag", "ahead": 1, "label_smoothing": 0.1}, "which have no classes"),
        ("x", {"task": "forecast", "class_weights": "balanced"}, "class_weights goes with task classify or tag, not"),
    ],
    ids=str,
)
def test_bad_weights_are_named_and_nothing_is_written(target: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ds.ConfigError, match=words):
        fitted(target, **settings)
    assert list(Path().iterdir()) == []
