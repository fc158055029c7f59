"""run.json: the version of a run folder, whether training is over, and the checksums of its files."""

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from drystone.core.errors import RunError
from drystone.core.storage import whole_file
from drystone.train.checkpoint.files import checksum_of, sync, written
from drystone.train.folder import names

VERSION = 2
Status = Literal["training", "finished"]
FILES: dict[Status, tuple[str, ...]] = {"training": names.AT_START, "finished": (*names.AT_START, *names.AT_END)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a run folder says of itself.

    Args:
        status: "training" until the last file is written; a run that was stopped is in training too.
        files: the checksum of each file that no longer changes.
    """

    status: Status
    files: dict[str, str]

    @classmethod
    def of(cls, folder: Path, status: Status) -> "Manifest":
        """Returns the manifest of a folder, with the checksums of its files, which are on the disk by then."""
        files = (*FILES[status], *(name for name in _optional(status) if (folder / name).is_file()))
        for name in files:
            with written(folder / name):
                sync(folder / name)
        return cls(status=status, files={name: checksum_of(folder / name) for name in files})

    def save(self, folder: Path) -> None:
        """Writes run.json, whole.

        Raises:
            RunError: it could not be written.
        """
        content = {"version": VERSION, "drystone": version("drystone"), "status": self.status, "files": self.files}
        with written(folder / names.MANIFEST), whole_file(folder / names.MANIFEST) as partial:
            partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
            sync(partial)

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """Reads run.json, and proves that the files are those that were written.

        Raises:
            RunError: no run folder, another version, or a file is missing or changed; the message names it.
        """
        found = cls.read(folder)
        found.check(folder)
        return found

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Reads run.json only.

        Raises:
            RunError: no run folder, or another version.
        """
        content = _content(folder)
        if content["version"] != VERSION:
            raise RunError(
                f"{folder} is a run folder of version {content['version']}, written by drystone "
                f"{content.get('drystone')}; this one reads version {VERSION}."
            )
        return cls(status=content["status"], files=content["files"])

    def check(self, folder: Path, max_bytes: int | None = None) -> None:
        """Proves that files are those that were written.

        Args:
            folder: of the run.
            max_bytes: larger files need only be there; None for no such limit.

        Raises:
            RunError: a file is missing or changed; the message names it.
        """
        for name, checksum in self.files.items():
            path = folder / name
            if not path.is_file():
                raise RunError(f"{folder} is not a whole run folder: {name} is missing.")
            is_proved = max_bytes is None or path.stat().st_size <= max_bytes
            if is_proved and checksum_of(path) != checksum:
                raise RunError(
                    f"{path} was changed or damaged since the run wrote it: its checksum is not the one that "
                    f"{names.MANIFEST} says."
                )


def _content(folder: Path) -> dict[str, Any]:
    path = folder / names.MANIFEST
    if not folder.is_dir():
        raise RunError(f"there is no run folder {folder}.")
    if not path.is_file():
        raise RunError(f"{folder} is not a run folder: {names.MANIFEST} is missing.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if _is_whole(content):
            return content
    except (ValueError, AttributeError, TypeError) as error:
        raise RunError(f"{path} is damaged: {error}") from error
    raise RunError(f"{path} is damaged: version, status or files are missing in it, or are not those of a run.")


def _is_whole(content: dict[str, Any]) -> bool:
    """Whether all is in it that this version writes; other versions may write something else."""
    if content.get("version", VERSION) != VERSION:
        return True
    if not {"version", "status", "files"} <= content.keys():
        return False
    status, files = content["status"], content["files"]
    if status not in FILES or not all(isinstance(each, str) for each in files.values()):
        return False
    return files.keys() - set(_optional(status)) == set(FILES[status])


def _optional(status: Status) -> tuple[str, ...]:
    """Returns the files that depend on task and data."""
    return (names.VOCABULARY, *(names.PICTURES if status == "finished" else ()))
