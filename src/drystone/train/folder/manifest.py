"""run.json: the version of a run folder, whether training is over, and the checksums of its files."""

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

from drystone.core.errors import RunError
from drystone.core.storage import whole_file
from drystone.train.checkpoint.files import checksum_of, sync, written
from drystone.train.folder import names

VERSION = 1
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
        for name in FILES[status]:
            with written(folder / name):
                sync(folder / name)
        return cls(status=status, files={name: checksum_of(folder / name) for name in FILES[status]})

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
        content = _content(folder)
        if content["version"] != VERSION:
            raise RunError(
                f"{folder} is a run folder of version {content['version']}, written by drystone "
                f"{content.get('drystone')}; this one reads version {VERSION}."
            )
        if content["status"] not in get_args(Status) or content["files"].keys() != set(FILES[content["status"]]):
            raise RunError(f"{folder / names.MANIFEST} is damaged: it does not name the files of a run.")
        found = cls(status=content["status"], files=content["files"])
        for name, checksum in found.files.items():
            if not (folder / name).is_file():
                raise RunError(f"{folder} is not a whole run folder: {name} is missing.")
            if checksum_of(folder / name) != checksum:
                raise RunError(
                    f"{folder / name} was changed or damaged since the run wrote it: its checksum is not the one that "
                    f"{names.MANIFEST} says."
                )
        return found


def _content(folder: Path) -> dict[str, Any]:
    path = folder / names.MANIFEST
    if not folder.is_dir():
        raise RunError(f"there is no run folder {folder}.")
    if not path.is_file():
        raise RunError(f"{folder} is not a run folder: {names.MANIFEST} is missing.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if {"version", "status", "files"} <= content.keys() and isinstance(content["files"], dict):
            return content
    except (ValueError, AttributeError) as error:
        raise RunError(f"{path} is damaged: {error}") from error
    raise RunError(f"{path} is damaged: version, status or files are missing in it.")
