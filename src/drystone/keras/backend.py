"""The library that Keras computes with: there, or an error that says how to install or choose one."""

import os
from importlib import import_module
from importlib.metadata import version

from drystone.core.errors import DrystoneError

OLDEST = (3, 12)
INSTALLS = {"tensorflow": "tensorflow", "jax": "'jax[cpu]'", "torch": "torch"}


def check_backend() -> str:
    """Imports Keras and returns the name of its backend: "tensorflow", "jax" or "torch".

    Raises:
        DrystoneError: Keras is too old; the backend is not installed, or one that drystone does not serve.
    """
    found, oldest = version("keras"), ".".join(map(str, OLDEST))
    if tuple(map(int, found.split(".")[:2])) < OLDEST:
        raise DrystoneError(
            f"keras {found} is too old; {oldest} or newer is needed. Run: pip install 'keras>={oldest}'"
        )
    try:
        keras = import_module("keras")
    except ImportError as error:
        wanted = os.environ.get("KERAS_BACKEND", "tensorflow")
        raise DrystoneError(
            f"Keras cannot import its backend {wanted!r}: {error}. Install it with: pip install "
            f"{INSTALLS.get(wanted, wanted)}; or choose another one before Keras is imported, with the environment "
            f"variable KERAS_BACKEND={'|'.join(INSTALLS)}."
        ) from error
    backend = keras.backend.backend()
    if backend not in INSTALLS:
        raise DrystoneError(
            f"Keras runs on {backend!r}; drystone.keras needs one of {', '.join(INSTALLS)}. "
            f"Set the environment variable KERAS_BACKEND before Keras is imported."
        )
    return backend
