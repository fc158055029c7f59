"""Training curves: a picture comes out, whatever the run recorded."""

from pathlib import Path
from typing import Any

import pytest

from drystone.plots import curves
from drystone.plots.curves import _epochs_of, save_curves

EPOCHS = [{"part": "train", "epoch": k, "update": 5 * k, "loss": 1 / k, "accuracy": 0.5} for k in (1, 2, 3)]
VALID = [{"part": "valid", "epoch": 0, "update": update, "loss": 1.0, "accuracy": 0.4} for update in (3, 6, 15)]
TEST = {"part": "test", "sequences": 3, "loss": 0.4, "accuracy": 0.9}
COMPARED = TEST | {"baselines": {"majority class": {"accuracy": 0.3}, "$other": {"loss": 2.0}}}
LOST = {"part": "train", "epoch": 4, "update": 20, "loss": float("nan"), "accuracy": float("nan")}


@pytest.mark.parametrize(
    "records",
    [
        EPOCHS,
        [*EPOCHS, *VALID],
        VALID,
        [*EPOCHS, TEST],
        [EPOCHS[0], TEST],
        [TEST],
        [],
        [*EPOCHS, COMPARED],
        [LOST, COMPARED],
    ],
)
def test_a_picture_is_drawn(records: list[dict[str, Any]], tmp_path: Path) -> None:
    save_curves(records, tmp_path / "curves.png", "accuracy")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert [file.name for file in tmp_path.iterdir()] == ["curves.png"]


def test_evaluations_lie_where_their_updates_do() -> None:
    assert _epochs_of(VALID, EPOCHS).tolist() == pytest.approx([0.6, 1.2, 3.0])


def test_epochs_are_whole_numbers_on_the_axis_of_a_run_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(curves, "save_figure", lambda figure, _: drawn.append(figure))
    save_curves(EPOCHS[:1], tmp_path / "curves.png", "accuracy")
    for ax in drawn[0].axes:
        first, last = ax.get_xlim()
        assert [tick for tick in ax.get_xticks() if first <= tick <= last] == [1.0]


def axes_of(records: list[dict[str, Any]], name: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    drawn: list[Any] = []
    monkeypatch.setattr(curves, "save_figure", lambda figure, _: drawn.append(figure))
    save_curves(records, Path("curves.png"), name)
    return drawn[0].axes


def labels_of(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_trivial_predictions_are_a_dashed_line_with_their_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [*EPOCHS, {**VALID[0], "accuracy": 0.8}, COMPARED]
    loss, accuracy = axes_of(records, "accuracy", monkeypatch)
    assert labels_of(loss) == ["train, while it learns", "validation"]
    assert labels_of(accuracy)[2:] == ["test, at the end: 0.9", "majority class: 0.3"]
    line = accuracy.get_lines()[-1]
    assert (list(line.get_ydata()), line.get_linestyle()) == ([0.3, 0.3], "--")


def test_the_loss_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    (loss,) = axes_of([*EPOCHS, COMPARED], "loss", monkeypatch)
    assert labels_of(loss)[-1] == r"\$other: 2"


@pytest.mark.parametrize(("value", "where"), [(60.0, ", above"), (-50.0, ", below"), (1.2, ""), (float("nan"), "")])
def test_what_would_flatten_the_curves_is_only_said(value: float, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {"part": "test", "loss": 0.5, "baselines": {"last value": {"loss": value}}}
    (loss,) = axes_of([*EPOCHS, figures], "loss", monkeypatch)
    assert labels_of(loss)[-1] == f"last value: {value:.4g}{where}"
    low, high = loss.get_ylim()
    assert (low <= value <= high) == (value == 1.2)
    assert high - low < 2
