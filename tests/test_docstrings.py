"""The examples in docstrings run, and give what they say."""

import doctest
import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

import drystone

MODULES = sorted(
    {module.name for module in pkgutil.walk_packages(drystone.__path__, "drystone.")} - {"drystone.__main__"}
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed, _ = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert failed == 0
