"""What the tests of faults share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import drystone as ds
from drystone.core.sequences import Sequences
from tests.faults.small import SMALL, TARGET, vowels


@pytest.fixture(scope="session")
def seqs() -> Sequences:
    return vowels()


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, seqs: Sequences) -> Callable[..., Path]:
    """Returns the folder of a run with some settings that was never stopped."""
    known: dict[str, Path] = {}

    def run(**settings: Any) -> Path:
        key = repr(sorted(settings.items()))
        if key not in known:
            path = tmp_path_factory.mktemp("whole") / "run"
            known[key] = ds.fit(seqs, TARGET, out=path, **SMALL, **settings).path
        return known[key]

    return run
