"""The examples in docstrings run, and give what they say."""

from pathlib import Path

import pytest

from tests.docstrings import MODULES, OF_KERAS, num_failed


@pytest.mark.parametrize("name", [name for name in MODULES if name not in OF_KERAS])
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert num_failed(name) == 0
