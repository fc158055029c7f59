"""The Python blocks of README and docs run, each document from top to bottom in an empty folder."""

from pathlib import Path

import pytest

from tests.documents import DOCUMENTS, ROOT, blocks


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_blocks_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for block in blocks(path, of_keras=False):
        block.evaluate()


def test_readme_has_blocks_to_run() -> None:
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("```python") >= 3
