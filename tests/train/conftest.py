"""What the tests of training share."""

from pathlib import Path

import numpy as np
import pytest

import drystone as ds
from drystone.core.sequences import Sequences
from tests.pictures import leave_undrawn


@pytest.fixture(scope="module")
def vowels() -> Sequences:
    """Three speakers of the built-in data, in the order of the file: sorted by class."""
    whole = ds.read("japanese-vowels")
    return whole.select(np.flatnonzero(np.isin(whole.field("speaker").values, ["1", "2", "3"])))


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _undrawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.path.stem != "test_pictures":
        leave_undrawn(monkeypatch)
