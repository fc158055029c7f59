"""The Python blocks of README and docs, and where they run.

A block that imports Keras runs in tests/keras, on each backend; a document whose first block does, all of it.
"""

from pathlib import Path

from sybil import Example, Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(path: Path, *, of_keras: bool) -> list[Example]:
    """Returns the Python blocks of a document that run with Keras, or those that run without; they share their names."""
    found = list(Sybil(parsers=[PythonCodeBlockParser()], path=str(path.parent)).parse(path).examples())
    if found and "import keras" in found[0].parsed:
        return found if of_keras else []
    return [block for block in found if ("import keras" in block.parsed) == of_keras]
