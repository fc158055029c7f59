"""The Python blocks about Keras in README and docs run on this backend, in an empty folder."""

from pathlib import Path

import pytest

from tests.documents import DOCUMENTS, blocks

ABOUT_KERAS = [path for path in DOCUMENTS if blocks(path, of_keras=True)]


@pytest.mark.parametrize("path", ABOUT_KERAS, ids=lambda path: path.name)
def test_blocks_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for block in blocks(path, of_keras=True):
        block.evaluate()
