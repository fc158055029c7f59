"""The program, run in the tests' own process."""

import sys
from pathlib import Path
from typing import Any

import pytest

from drystone.cli.main import main
from tests.cli.small import write_tiny
from tests.pictures import leave_undrawn


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the program in an empty folder; gives its exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["drystone", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        printed = capsys.readouterr()
        code = stop.value.code
        return (code if isinstance(code, int) else 0), printed.out, printed.err

    return run


@pytest.fixture
def tiny(tmp_path: Path) -> list[str]:
    """A small file in the folder of the test; gives the arguments of a training on it that takes no time."""
    write_tiny(tmp_path)
    return ["tiny.parquet", "--target", "y", "--hidden-size", "3", "--epochs", "4", "--batch-size", "8"]


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_undrawn(monkeypatch)
