"""The LSTM under torch.compile and torch.export, each in a process of its own (see compiled.py)."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("compiled.py")


@pytest.mark.parametrize(
    "part",
    [
        "padded",
        "packed",
        "masks",
        "second",
        "states",
        "vectors",
        "export",
        pytest.param("inductor", marks=pytest.mark.slow),
    ],
)
def test_it_compiles_and_exports_whole(part: str) -> None:
    done = subprocess.run([sys.executable, SCRIPT, part], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
