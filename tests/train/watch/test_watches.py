"""Those who watch a training: what each makes of the events."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

import drystone as ds
from drystone.core.sequences import Sequences
from drystone.train import Best, EarlyStopping, Ended, EpochEnded, Evaluated, MetricsLog, Progress, Recipe, Updated, fit
from drystone.train.watch.metrics_log import read_metrics
from tests.train.small import SMALL

FIGURES = {"loss": 0.5, "accuracy": 0.75, "sequences": 4, "steps": 30, "seconds": 0.5}


def updated(update: int, epoch: int, of: int) -> Updated:
    return Updated(
        update=update,
        epoch=epoch,
        progress=update / of,
        loss=1.0 / update,
        weight=4.0,
        sequences=4,
        steps=30,
        learning_rate=0.1,
        gradient_norm=1.0,
        seconds=0.01,
    )


def evaluated(update: int, **figures: float) -> Evaluated:
    return Evaluated(epoch=1, update=update, figures=FIGURES | figures)


def test_best_follows_one_figure_and_patience_ends() -> None:
    reasons: list[str] = []
    best = Best(monitor="accuracy", higher_is_better=True)
    early_stopping = EarlyStopping(best, 2, reasons.append)
    for update, accuracy in enumerate([0.5, 0.7, 0.7, 0.6], start=1):
        assert reasons == []
        for watch in (best, early_stopping):
            watch(evaluated(update, accuracy=accuracy))
    assert reasons == ["early stopping"]
    assert (best.value, best.update, best.since) == (0.7, 2, 2)
    again = Best(monitor="accuracy", higher_is_better=True)
    again.load_state_dict(best.state_dict())
    assert again == best
    lower = Best(monitor="loss", higher_is_better=False)
    for update, loss in enumerate([0.5, float("nan"), 0.4], start=1):
        lower(evaluated(update, loss=loss))
    assert (lower.value, lower.update) == (0.4, 3)


def test_an_evaluation_that_is_not_a_number_is_never_best() -> None:
    best = Best(monitor="loss", higher_is_better=False)
    best(evaluated(1, loss=float("nan")))
    best(evaluated(2, loss=3.0))
    assert (best.value, best.update) == (3.0, 2)


def test_metrics_are_lines_that_can_be_cut_back(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path / "m.jsonl")
    log(EpochEnded(epoch=0, update=7, figures=FIGURES, is_whole=True))
    size = log.sync()
    log(evaluated(7))
    expected = FIGURES | {"part": "train", "epoch": 1, "update": 7, "steps_per_second": 60.0}
    assert read_metrics(log.path) == [expected, expected | {"part": "valid"}]
    with log.path.open("a") as file:
        file.write('{"part": "tr')
    assert len(read_metrics(log.path)) == 2
    log.cut_back(size)
    assert read_metrics(log.path) == [expected]
    with pytest.raises(
        ds.RunError, match=rf"m.jsonl has {size} bytes; when the checkpoint was saved it had {size + 1}"
    ):
        log.cut_back(size + 1)
    log.path.write_text("nonsense\n")
    with pytest.raises(ds.RunError, match="holds a line that is not JSON"):
        read_metrics(log.path)


@pytest.mark.parametrize(
    ("recipe", "place"),
    [(Recipe(epochs=20), "epoch 20/20"), (Recipe(updates=20), "update 20/20"), (Recipe(seconds=9.0), "epoch 20")],
)
def test_where_no_bar_is_live_ten_lines_tell_of_a_training(
    recipe: Recipe, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress(recipe, is_shown=True) as progress:
        for number in range(20):
            progress(updated(number + 1, number, 20))
            progress(EpochEnded(epoch=number, update=number + 1, figures=FIGURES, is_whole=True))
            progress(evaluated(number + 1))
        progress(Ended(epoch=20, update=20, reason="early stopping"))
    *lines, last = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[-1] == f"{place}  loss 0.500  60 steps/s  valid loss 0.500 accuracy 0.750"
    assert last == "early stopping after epoch 20"


def test_a_hidden_bar_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(Recipe(epochs=1), is_shown=False) as progress:
        progress(updated(1, 0, 1))
        progress(EpochEnded(epoch=0, update=1, figures=FIGURES, is_whole=True))
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_reads_what_was_written(vowels: Sequences) -> None:
    run = fit(vowels, target="speaker", tensorboard=True, valid_fraction=0.2, **SMALL)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run.path / "tensorboard"))
    events.Reload()
    tags: Any = events.Tags()["scalars"]
    assert {"update/loss", "update/learning_rate", "update/gradient_norm", "train/accuracy", "valid/loss"} <= set(tags)
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    expected = [(line["update"], line["loss"]) for line in lines if line["part"] == "valid"]
    found = [(each.step, each.value) for each in events.Scalars("valid/loss")]
    assert [update for update, _ in found] == [update for update, _ in expected]
    torch.testing.assert_close([value for _, value in found], [value for _, value in expected])


def test_what_is_no_finite_number_is_null_in_the_file(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path / "m.jsonl")
    log(evaluated(7, accuracy=float("nan"), loss=float("inf")))
    (line,) = log.path.read_text().splitlines()
    found = json.loads(line, parse_constant=pytest.fail)
    assert (found["accuracy"], found["loss"], found["part"]) == (None, None, "valid")
    (record,) = read_metrics(log.path)
    assert math.isnan(record["accuracy"])
    assert math.isnan(record["loss"])
    assert record["steps"] == 30
