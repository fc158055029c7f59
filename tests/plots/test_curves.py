"""Training curves: a picture comes out, whatever the run recorded."""

from pathlib import Path
from typing import Any

import pytest

from drystone.plots import curves
from drystone.plots.curves import _epochs_of, save_curves

EPOCHS = [{"part": "train", "epoch": k, "update": 5 * k, "loss": 1 / k, "accuracy": 0.5} for k in (1, 2, 3)]
VALID = [{"part": "valid", "epoch": 0, "update": update, "loss": 1.0, "accuracy": 0.4} for update in (3, 6, 15)]
TEST = {"part": "test", "sequences": 3, "loss": 0.4, "accuracy": 0.9}


@pytest.mark.parametrize("records", [EPOCHS, [*EPOCHS, *VALID], VALID, [*EPOCHS, TEST], [EPOCHS[0], TEST], [TEST], []])
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
