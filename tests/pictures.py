"""Pictures in tests: left undrawn where nobody looks at them, and proved whole where someone does."""

from pathlib import Path

import pytest
from matplotlib.image import imread

from drystone.plots.figure import Picture


def leave_undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets pictures be made of data, and not be drawn, which takes longer than a small training."""
    monkeypatch.setattr(Picture, "save", lambda _, path: path.write_bytes(b"picture"))


def check_whole(path: Path) -> None:
    """It is a PNG to its last byte, with something on it, and no half of one lies beside it."""
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.read_bytes().endswith(b"IEND\xaeB`\x82")
    pixels = imread(path)[..., :3]
    assert 0.3 < pixels.mean() < 1
    assert not list(path.parent.glob(".*.partial"))
