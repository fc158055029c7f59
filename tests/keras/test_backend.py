"""The backend is the one asked for; one that is missing is named with the command that installs it."""

import os
import subprocess
import sys

import drystone.keras
from drystone.keras.backend import check_backend


def test_the_backend_is_the_one_asked_for() -> None:
    assert check_backend() == os.environ["KERAS_BACKEND"]


def test_a_missing_backend_names_the_command_that_installs_it() -> None:
    backend = os.environ["KERAS_BACKEND"]
    code = (
        f"import sys; sys.modules[{backend!r}] = None\n"
        "try:\n    import drystone.keras\n"
        "except Exception as error:\n    print(type(error).__name__, error)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.startswith(f"DrystoneError Keras cannot import its backend {backend!r}: ")
    assert "pip install " in said


def test_public_names() -> None:
    assert drystone.keras.__all__ == [
        "LSTM", "Bidirectional", "BySequence", "Dataset", "EveryStep", "ResetStates", "WeightedMean", "check", "ends_of",
        "segment_of", "to_tf_dataset",
    ]  # fmt: skip
    for name in drystone.keras.__all__:
        assert getattr(drystone.keras, name) is not None
