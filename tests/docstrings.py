"""The examples in docstrings, module by module."""

import doctest
from importlib import import_module
from pathlib import Path

import drystone

ROOT = Path(drystone.__file__).parent
MODULES = sorted(
    ".".join(("drystone", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    for path in ROOT.rglob("*.py")
    if path.name != "__main__.py"
)
OF_KERAS = [name for name in MODULES if f"{name}.".startswith("drystone.keras.")]
"""Those that import Keras: they run in tests/keras, in a process of their own for each backend."""


def num_failed(name: str) -> int:
    """Runs the examples of a module, and returns how many did not give what they say."""
    return doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).failed
