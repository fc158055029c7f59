"""The backend is the one asked for; one that is missing is named with the command that installs it."""

import os
import subprocess
import sys

import pytest

import drystone.keras
from drystone import DrystoneError
from drystone.keras import backend
from drystone.keras.backend import check_backend


def test_the_backend_is_the_one_asked_for() -> None:
    assert check_backend() == os.environ["KERAS_BACKEND"]


def test_a_missing_backend_names_the_command_that_installs_it() -> None:
    chosen = os.environ["KERAS_BACKEND"]
    code = (
        f"import sys; sys.modules[{chosen!r}] = None\n"
        "try:\n    import drystone.keras\n"
        "except Exception as error:\n    print(type(error).__name__, error)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.startswith(f"DrystoneError Keras cannot import its backend {chosen!r}: ")
    assert f"pip install {backend.INSTALLS[chosen]}; " in said


def test_public_names() -> None:
    assert drystone.keras.__all__ == [
        "LSTM", "Bidirectional", "BySequence", "Dataset", "EveryStep", "ResetStates", "WeightedMean", "check", "ends_of",
        "segment_of", "to_tf_dataset",
    ]  # fmt: skip
    for name in drystone.keras.__all__:
        assert getattr(drystone.keras, name) is not None


def test_a_keras_that_is_too_old_names_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "version", lambda name: "3.9.2")
    with pytest.raises(DrystoneError, match=r"keras 3.9.2 is too old; 3.12 or newer is needed. Run: pip install"):
        check_backend()
