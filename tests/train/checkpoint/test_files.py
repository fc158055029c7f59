"""A folder takes its name when it is whole, and never loses the one that it replaces."""

from pathlib import Path
from typing import Any

import pytest

from drystone.core.errors import RunError
from drystone.train.checkpoint.files import is_partial, partial_name, remove_folder, whole_folder

ERRORS = [(OSError("no space"), RunError), (KeyboardInterrupt(), KeyboardInterrupt)]


def write(path: Path, text: str) -> None:
    older = partial_name(path, "older")
    with whole_folder(path, older) as partial:
        (partial / "a.txt").write_text(text)
    remove_folder(older)


def write_half(path: Path, error: BaseException) -> None:
    with whole_folder(path, partial_name(path, "older")) as partial:
        (partial / "a.txt").write_text("half")
        raise error


def texts(path: Path) -> dict[str, str]:
    return {str(found.relative_to(path)): found.read_text() for found in path.rglob("*") if found.is_file()}


def test_it_is_there_when_it_is_whole(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "new", tmp_path / "older") as partial:
        (partial / "a.txt").write_text("one")
        assert not (tmp_path / "new").exists()
    assert texts(tmp_path) == {"new/a.txt": "one"}
    write(tmp_path / "new", "two")
    assert texts(tmp_path) == {"new/a.txt": "two"}
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize(("error", "seen"), ERRORS)
def test_a_stop_leaves_what_was_there(error: BaseException, seen: type[BaseException], tmp_path: Path) -> None:
    write(tmp_path / "old", "one")
    for name in ("old", "new"):
        with pytest.raises(seen):
            write_half(tmp_path / name, error)
    assert texts(tmp_path) == {"old/a.txt": "one"}
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize(("error", "seen"), ERRORS)
def test_a_stop_between_the_renamings_brings_the_old_folder_back(
    error: BaseException, seen: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "old", "one")
    real = Path.rename

    def rename(self: Path, target: Path) -> Any:
        if is_partial(self) and "older" not in self.name:
            raise error
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(seen):
        write(tmp_path / "old", "two")
    assert texts(tmp_path) == {"old/a.txt": "one"}
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
