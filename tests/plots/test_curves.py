"""Training curves: a picture comes out, whatever the run recorded."""

from pathlib import Path
from typing import Any

import pytest

from drystone.plots.curves import save_curves

EPOCHS = [{"part": "train", "epoch": k, "loss": 1 / k, "accuracy": 0.5} for k in (1, 2, 3)]
VALID = [record | {"valid_loss": 1.0, "valid_accuracy": 0.4} for record in EPOCHS]
TEST = {"part": "test", "sequences": 3, "loss": 0.4, "accuracy": 0.9}


@pytest.mark.parametrize("records", [EPOCHS, VALID, [*EPOCHS, TEST], [EPOCHS[0], TEST], [TEST], []])
def test_a_picture_is_drawn(records: list[dict[str, Any]], tmp_path: Path) -> None:
    save_curves(records, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert [file.name for file in tmp_path.iterdir()] == ["curves.png"]
