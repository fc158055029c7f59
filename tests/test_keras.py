"""Runs tests/keras on every backend of Keras, in two processes each: the long programs, and all the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAMS = [f"tests/keras/test_{name}.py" for name in ("documents", "examples", "export")]
PARTS = {"programs": PROGRAMS, "rest": ["tests/keras", *(f"--ignore={path}" for path in PROGRAMS)]}


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_on(backend: str, part: str) -> None:
    environment = os.environ | {"KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"}
    command = [sys.executable, "-m", "pytest", "-m", "", *PARTS[part]]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-2_000:]
