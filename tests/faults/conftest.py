"""What the tests of faults share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import drystone as ds
from drystone.core.sequences import Sequences
from tests.faults.small import SMALL, TARGET, vowels
from tests.pictures import leave_undrawn


@pytest.fixture(scope="session")
def seqs() -> Sequences:
    return vowels()


@pytest.fixture(scope="session")
def whole(_memory: Path, seqs: Sequences) -> Callable[..., Path]:
    """Returns the folder of a run with some settings that was never stopped."""
    known: dict[str, Path] = {}

    def run(**settings: Any) -> Path:
        key = repr(sorted(settings.items()))
        if key not in known:
            path = _memory / f"whole-{len(known)}"
            known[key] = ds.fit(seqs, TARGET, out=path, **SMALL, **settings).path
        return known[key]

    return run


@pytest.fixture(scope="session")
def _memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory where there is one: these tests wait for the disk thousands of times, and lose no power."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path_factory.getbasetemp()) as folder:
        yield Path(folder)


@pytest.fixture
def tmp_path(_memory: Path) -> Iterator[Path]:
    with TemporaryDirectory(dir=_memory) as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than all the rest; where it matters, a process of its own draws."""
    monkeypatch.setattr("drystone.train.pictures.save_curves", lambda _, path, __: path.write_bytes(b"curves"))
    leave_undrawn(monkeypatch)
