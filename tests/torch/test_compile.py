"""The LSTM under torch.compile and torch.export, in a process of its own (see compiled.py)."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("compiled.py")


@pytest.mark.parametrize(
    "parts",
    [
        ("padded", "packed", "masks", "second", "states", "vectors", "export"),
        pytest.param(("inductor",), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_it_compiles_and_exports_whole(parts: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, SCRIPT, *parts], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == list(parts)
