"""Settings of the tests of drystone.keras, which run in a process of their own for each backend: see tests/test_keras.py.

By hand: KERAS_BACKEND=jax pytest tests/keras
"""

import os
from tempfile import TemporaryDirectory

import pytest

collect_ignore_glob = [] if "KERAS_BACKEND" in os.environ else ["test_*.py"]

# The models of the tests are small: compiling them takes JAX far longer than running them. It is done once for equal
# programs: each model is traced anew, and what it compiles to is found in a folder.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
COMPILED = TemporaryDirectory(prefix="drystone-jax-")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", COMPILED.name)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

# Keras on torch asks NumPy for arrays in a way that torch does not know yet; neither is ours to mend.
OF_KERAS = ["ignore:__array__ implementation doesn't accept a copy", "ignore:__array_wrap__ must accept context"]


def pytest_configure(config: pytest.Config) -> None:
    for line in OF_KERAS if "KERAS_BACKEND" in os.environ else []:
        config.addinivalue_line("filterwarnings", f"{line}:DeprecationWarning")


def pytest_unconfigure() -> None:
    COMPILED.cleanup()
