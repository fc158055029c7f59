"""A folder takes its name when it is whole, and never loses the one that it replaces."""

from pathlib import Path
from typing import Any

import pytest

from drystone.core.errors import DataError
from drystone.core.storage import whole_folder

FILES = frozenset({"a.txt"})


def write(path: Path, text: str) -> None:
    with whole_folder(path, FILES) as partial:
        (partial / "a.txt").write_text(text)


def write_half(path: Path, error: type[BaseException]) -> None:
    with whole_folder(path, FILES) as partial:
        (partial / "a.txt").write_text("half")
        raise error


def texts(path: Path) -> dict[str, str]:
    return {str(found.relative_to(path)): found.read_text() for found in path.rglob("*") if found.is_file()}


def test_it_is_there_when_it_is_whole(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "new", FILES) as partial:
        (partial / "a.txt").write_text("one")
        assert not (tmp_path / "new").exists()
    assert texts(tmp_path) == {"new/a.txt": "one"}
    write(tmp_path / "new", "two")
    assert texts(tmp_path) == {"new/a.txt": "two"}
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_stop_leaves_what_was_there(error: type[BaseException], tmp_path: Path) -> None:
    write(tmp_path / "old", "one")
    for name in ("old", "new"):
        with pytest.raises(error):
            write_half(tmp_path / name, error)
    assert texts(tmp_path) == {"old/a.txt": "one"}
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_stop_between_the_renamings_brings_the_old_folder_back(
    error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "old", "one")
    real = Path.rename

    def rename(self: Path, target: Path) -> Any:
        if self.name == "new":
            raise error
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(error):
        write(tmp_path / "old", "two")
    assert texts(tmp_path) == {"old/a.txt": "one"}
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_what_is_someone_elses_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "folder", target_is_directory=True)
    for name, words in {
        "file": "file is not a folder",
        "folder": "folder holds notes.txt",
        "link": "link is not a folder",
        "gone/new": "there is no folder .*gone; make it first",
    }.items():
        with pytest.raises(DataError, match=words):
            write(tmp_path / name, "two")
    assert texts(tmp_path) == {"file": "mine", "folder/notes.txt": "mine"}
