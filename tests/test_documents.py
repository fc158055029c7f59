"""The Python blocks of README and docs run, each document from top to bottom in an empty folder."""

from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_blocks_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    document = Sybil(parsers=[PythonCodeBlockParser()], path=str(path.parent)).parse(path)
    for example in document.examples():
        example.evaluate()


def test_readme_has_blocks_to_run() -> None:
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("```python") >= 3
