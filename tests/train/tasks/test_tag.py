"""What a tagger is trained on, what it is measured by, and what it says at every step."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

import drystone as ds
from drystone.core.layouts import Layout
from drystone.torch.batch import to_tensors
from drystone.torch.carried_state import CarriedState
from drystone.train import Evaluator, Run
from drystone.train.loop.objective import forward_of

SMALL: dict[str, Any] = {"epochs": 2, "hidden_size": 4, "progress": False, "features": ("x",), "task": "tag"}
LENGTHS = (7, 1, 12, 5, 9, 3, 8, 4)
TARGETS = ("word", "count", "on", "keys", "level", "pair")
LAYOUTS: list[Layout] = [
    ds.Padded(3),
    ds.Padded(8, order="given"),
    ds.Bucketed(num_buckets=2, batch_size=2),
    ds.Packed(rows=2, steps=13),
    ds.Packed(sequences=5),
    ds.Stateful(rows=2, steps=3),
    ds.Stateful(rows=1, steps=50),
]


def tagged(lengths: tuple[int, ...] = LENGTHS, seed: int = 0) -> ds.Sequences:
    """A target of each kind, all found from x; `id` names the sequences."""
    rng = np.random.default_rng(seed)
    x = [rng.normal(size=(length, 2)) for length in lengths]
    per_step = {
        "x": x,
        "word": [np.where(each[:, 0] > 0, "up", "down").astype(object) for each in x],
        "count": [(each[:, 0] > 0).astype(int) + (each[:, 1] > 0) + 5 for each in x],
        "on": [each[:, 0] > 0 for each in x],
        "keys": [each > 0 for each in x],
        "level": [1000 + 50 * each.sum(axis=1) for each in x],
        "pair": [each * (1, 100) + (7, 0) for each in x],
    }
    return ds.Sequences.from_arrays(per_step, {"id": [f"s{number}" for number in range(len(lengths))]})


def tag(target: str, seqs: ds.Sequences | None = None, **given: Any) -> Run:
    return ds.fit(tagged() if seqs is None else seqs, target, **{**SMALL, **given})


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Runs in float64, made once for their settings."""
    folder, made = tmp_path_factory.mktemp("runs"), dict[str, Run]()

    def run(target: str, **given: Any) -> Run:
        key = f"{target} {given}"
        if key not in made:
            made[key] = tag(target, out=folder / str(len(made)), precision="64-true", **given)
        return made[key]

    return run


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"layout": "bucketed"},
        {"layout": "packed", "rows": 2, "steps": 12},
        {"layout": "stateful", "rows": 2, "steps": 3},
        {"ahead": 2, "features": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("target", TARGETS)
def test_every_layout_and_kind_trains_and_opens_again(target: str, given: dict[str, Any]) -> None:
    seqs = tagged()
    run = tag(target, seqs, valid_fraction=0.2, **given)
    assert [record["part"] for record in run.metrics] == ["train", "valid", "train", "valid", "test"]
    opened = Run.open(run.path)
    assert (opened.settings, opened.schema, str(opened.task)) == (run.settings, run.schema, str(run.task))
    assert opened.predict(seqs).equals(run.predict(seqs))
    scores = opened.evaluate(opened.part(seqs, "test"))
    assert scores.loss == run.metrics[-1]["loss"]
    assert opened.settings.bidirectional == (
        not given or given["layout" if "layout" in given else "ahead"] in ("bucketed", "packed")
    )


def test_it_learns() -> None:
    seqs = tagged((20,) * 60)
    fast = {"epochs": 12, "hidden_size": 12, "learning_rate": 0.02}
    assert tag("word", seqs, **fast).metrics[-1]["accuracy"] > 0.95
    assert tag("keys", seqs, **fast).metrics[-1]["frame_accuracy"] > 0.8
    assert tag("pair", seqs, **fast).metrics[-1]["r2"] > 0.9


def plain_outputs(run: Run, x: np.ndarray[Any, Any]) -> torch.Tensor:
    """One sequence through `nn.LSTM` and the head: [steps, outputs]."""
    model = run.model
    both = bool(run.settings.bidirectional)
    lstm = torch.nn.LSTM(2, model.lstm.hidden_size, batch_first=True, bidirectional=both, dtype=torch.float64)
    names = dict(lstm.named_parameters())
    given = dict(model.lstm.named_parameters())
    scaled = (torch.from_numpy(x) - model.mean) / model.spread
    output, _ = torch.func.functional_call(lstm, {name: given[name] for name in names}, (scaled[None],))
    return model.head(output)[0]


def plain_losses(run: Run, target: str, seqs: ds.Sequences, ahead: int = 0) -> torch.Tensor:
    """The loss of every step with a target, sequence after sequence."""
    losses = []
    for found in seqs:
        outputs = plain_outputs(run, found["x"])[: len(found["x"]) - ahead]
        wanted = found[target][ahead:]
        if target == "keys":
            known = torch.from_numpy(wanted.astype(float))
            log_yes, log_no = functional.logsigmoid(outputs), functional.logsigmoid(-outputs)
            losses.append(-(known * log_yes + (1 - known) * log_no).sum(dim=1))
        elif target in ("level", "pair"):
            train = run.split.sequences(tagged(), "train").field(target).values
            scaled = torch.from_numpy((wanted - train.mean(axis=0)) / train.std(axis=0)).reshape(len(wanted), -1)
            losses.append((outputs - scaled).square().mean(dim=1))
        else:
            classes = sorted(set(seqs.field(target).values.tolist()))
            codes = torch.tensor([classes.index(value) for value in wanted.tolist()], dtype=torch.long)
            losses.append(-outputs.log_softmax(dim=1)[torch.arange(len(codes)), codes])
    return torch.cat(losses)


def gradients(loss: torch.Tensor, run: Run) -> list[torch.Tensor]:
    parameters = list(run.model.parameters())
    return list(torch.autograd.grad(loss, parameters, retain_graph=True))


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize(("target", "ahead"), [(target, None) for target in TARGETS] + [("keys", 2), ("word", 1)])
def test_loss_and_figures_are_those_of_a_plain_loop_in_every_layout(
    runs: Callable[..., Run], target: str, ahead: int | None, layout: Layout
) -> None:
    run = runs(target, bidirectional=not layout.carries and ahead is None, ahead=ahead)
    seqs, task = tagged(), run.task
    laid_out = task.to_train_on(seqs)
    loader = ds.Loader(laid_out, layout, fields=task.fields(laid_out))
    expected = plain_losses(run, target, seqs, ahead or 0)
    figures = Evaluator(task.objective(laid_out), loader, task.metrics()).figures(run.model)
    scores = run.evaluate(seqs)
    assert figures["loss"] == pytest.approx(expected.mean().item(), rel=1e-12)
    assert scores.loss == pytest.approx(figures["loss"], rel=1e-12)
    assert scores.steps == len(expected)
    for name in task.metrics():
        assert getattr(scores, name) == pytest.approx(figures[name], rel=1e-12)
    if not layout.carries:
        carried, loss, weight = CarriedState(), torch.zeros((), dtype=torch.float64), 0.0
        run.model.eval()
        for host in loader:
            outcome, carried = carried.run(forward_of(task.objective(laid_out), run.model), to_tensors(host))
            loss, weight = loss + outcome.loss, weight + outcome.weight
        assert weight == len(expected)
        for found, wanted in zip(gradients(loss, run), gradients(expected.sum(), run), strict=True):
            assert torch.allclose(found, wanted, rtol=1e-10, atol=1e-12)


@given(lengths=st.lists(st.integers(2, 9), min_size=2, max_size=6), extra=st.integers(1, 40))
@settings(max_examples=15)
def test_padding_and_batch_mates_never_count(runs: Callable[..., Run], lengths: list[int], extra: int) -> None:
    run = runs("keys", bidirectional=True)
    alone = tagged(tuple(lengths))
    beside = tagged((*lengths, extra))
    scores = [run.evaluate(seqs) for seqs in (alone, beside, beside.select([len(lengths)]))]
    first, whole, last = ((found.loss * found.steps, found.steps) for found in scores)
    assert whole[1] == first[1] + last[1] == sum(lengths) + extra
    assert whole[0] == pytest.approx(first[0] + last[0], rel=1e-12)


def test_figures_are_those_of_the_predictions(runs: Callable[..., Run]) -> None:
    seqs = tagged()
    said = {target: runs(target).predict(seqs)["prediction"].to_pylist() for target in TARGETS}
    known = {target: seqs.field(target).values for target in TARGETS}
    for target in ("word", "count", "on"):
        share = np.mean([left == right for left, right in zip(said[target], known[target].tolist(), strict=True)])
        assert runs(target).evaluate(seqs).accuracy == pytest.approx(share)
    yes, true = [[f"keys[{key}]" in names for key in range(2)] for names in said["keys"]], known["keys"]
    scores = runs("keys").evaluate(seqs)
    assert scores.frame_accuracy == pytest.approx((np.array(yes) & true).sum() / (np.array(yes) | true).sum())
    assert scores.accuracy == pytest.approx((np.array(yes) == true).all(axis=1).mean())
    for target in ("level", "pair"):
        errors, truth = np.array(said[target]) - known[target], known[target]
        scores = runs(target).evaluate(seqs)
        assert scores.rmse == pytest.approx(np.sqrt((errors**2).mean()))
        assert scores.mae == pytest.approx(np.abs(errors).mean())
        r2 = 1 - (errors**2).sum(axis=0) / ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
        assert scores.r2 == pytest.approx(r2.mean())


def test_predictions_are_one_row_a_step_in_order(runs: Callable[..., Run]) -> None:
    seqs = tagged((3, 1, 4))
    for both in (True, False):
        table = runs("word", bidirectional=both).predict(seqs)
        assert table.column_names == ["sequence", "step", "prediction", "probability", "p_down", "p_up"]
        assert table["sequence"].to_pylist() == [0] * 3 + [1] + [2] * 4
        assert table["step"].to_pylist() == [0, 1, 2, 0, 0, 1, 2, 3]
        outputs = torch.cat([plain_outputs(runs("word", bidirectional=both), found["x"]) for found in seqs])
        np.testing.assert_allclose(table["p_up"], outputs.softmax(dim=1)[:, 1].detach(), rtol=1e-12)
    table = runs("keys", bidirectional=True).predict(seqs)
    assert table.column_names == ["sequence", "step", "prediction", "p_keys[0]", "p_keys[1]"]
    for row in table.to_pylist():
        assert row["prediction"] == [name for name in ("keys[0]", "keys[1]") if row[f"p_{name}"] > 0.5]
    assert all(isinstance(value, float) for value in runs("level").predict(seqs)["prediction"].to_pylist())
    assert all(isinstance(value, bool) for value in runs("on").predict(seqs)["prediction"].to_pylist())


@pytest.mark.parametrize("target", ["word", "keys", "level"])
def test_it_goes_on_step_by_step(runs: Callable[..., Run], target: str) -> None:
    run, seqs = runs(target, bidirectional=False), tagged((9,))
    x = torch.from_numpy(seqs[0]["x"])[None]
    with torch.no_grad():
        first, state = run.model.advance(x[:, :4])
        second, _ = run.model.advance(x[:, 4:], state)
    found = run.task.columns(torch.cat([first, second], dim=1)[0].numpy())
    table = run.predict(seqs)
    for name, values in found.items():
        if isinstance(values[0], (str, list)):
            assert table[name].to_pylist() == values
        else:
            np.testing.assert_allclose(values, table[name].to_pylist(), rtol=1e-12)


def test_one_series_is_split_by_time_and_no_target_is_shared() -> None:
    seqs = tagged((60,))
    run = tag("level", seqs, features=("level",), ahead=3, valid_fraction=0.2)
    assert run.split.in_words() == "train 36 steps, valid 12 steps, test 12 steps"
    assert [run.evaluate(run.part(seqs, part)).steps for part in ("train", "valid", "test")] == [33, 12, 12]
    train = seqs.field("level").values[:36]
    assert run.model.target_mean.item() == pytest.approx(train.mean())


@pytest.mark.parametrize(
    ("target", "task"),
    [("word", "tag"), ("count", "tag"), ("on", "tag"), ("keys", "tag"), ("pair", "tag"), ("level", "forecast")],
)
def test_the_task_follows_the_target(target: str, task: str) -> None:
    assert tag(target, task=None).settings.task == task


def test_whole_numbers_of_which_hardly_any_comes_twice_are_forecast() -> None:
    passengers = [100 + 3 * month + month * month % 11 for month in range(144)]
    series = ds.Sequences.from_arrays({"passengers": [passengers]})
    assert tag("passengers", series, task=None, features=("passengers",)).settings.task == "forecast"


def test_a_class_that_training_never_sees_is_warned_of() -> None:
    per_step = {"x": [[0.0, 1.0], [1.0, 2.0], [3.0, 1.0]], "y": [["a", "b"], ["b", "a"], ["a", "rare"]]}
    seqs = ds.Sequences.from_arrays(per_step, {"part": ["train", "train", "test"]})
    with pytest.warns(UserWarning, match="no step of the training part is 'rare' in 'y'"):
        run = tag("y", seqs, split_column="part")
    assert run.evaluate(run.part(seqs, "test")).steps == 2
    assert Path("runs/run-1").is_dir()


def test_vectors_of_whole_numbers_are_numbers() -> None:
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(length, 2)) for length in LENGTHS]
    seqs = ds.Sequences.from_arrays({"x": x, "counts": [np.round(each * 9).astype(np.int64) for each in x]})
    run = tag("counts", seqs, epochs=1)
    assert run.evaluate(seqs).rmse > 0
    assert str(run.predict(seqs)["prediction"].type) == "list<item: double>"
