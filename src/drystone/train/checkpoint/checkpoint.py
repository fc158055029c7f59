"""One checkpoint: a folder of tensors, the JSON that puts them together, and their checksums."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from drystone.core.errors import RunError
from drystone.train.checkpoint.files import checksum_of, remove_folder, whole_folder
from drystone.train.checkpoint.tree import put_together, taken_apart

VERSION = 3
STATE = "state.json"
TENSORS = "state.safetensors"
BEST = "best.safetensors"
CHECKSUMS = "checksums.json"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """What one checkpoint holds.

    Args:
        state: a nest of tensors and plain values.
        best: the weights that were best on the validation part so far; None where none were compared.
    """

    state: Any
    best: Mapping[str, Tensor] | None

    def save(self, path: Path) -> None:
        """Writes the folder, whole or not at all; an older one in its place stays until then.

        Raises:
            RunError: it could not be written.
        """
        tree, tensors = taken_apart(self.state)
        with whole_folder(path, older_of(path)) as folder:
            save_tensors(tensors, folder / TENSORS)
            if self.best is not None:
                save_tensors(self.best, folder / BEST)
            (folder / STATE).write_text(json.dumps({"version": VERSION, "state": tree}), encoding="utf-8")
            checksums = {file.name: checksum_of(file) for file in sorted(folder.iterdir())}
            (folder / CHECKSUMS).write_text(json.dumps(checksums, indent=2) + "\n", encoding="utf-8")
        remove_folder(older_of(path))

    @classmethod
    def load(cls, path: Path) -> "Checkpoint":
        """Reads a folder that `save` wrote.

        Raises:
            RunError: another version, or a file is missing or changed; the message names it.
        """
        check_files(path)
        try:
            content = json.loads((path / STATE).read_text(encoding="utf-8"))
            if content["version"] != VERSION:
                raise RunError(f"{path} has version {content['version']}; this drystone reads version {VERSION}.")
            state = put_together(content["state"], load_file(path / TENSORS))
            best = load_file(path / BEST) if (path / BEST).is_file() else None
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            if isinstance(error, RunError):
                raise
            raise RunError(f"{path} is damaged: {error!r}.") from error
        return cls(state=state, best=best)


def older_of(path: Path) -> Path:
    """Returns the name of a whole checkpoint while another one takes its place."""
    return path.with_name(f"{path.name}.older")


def save_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Writes tensors of any device as one safetensors file, with the permissions that other files get."""
    path.write_bytes(save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}))


def check_files(path: Path) -> None:
    """Raises RunError where a file of a checkpoint is missing or not what was written."""
    try:
        checksums = json.loads((path / CHECKSUMS).read_text(encoding="utf-8"))
        known = {STATE, TENSORS} <= checksums.keys()
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise RunError(f"{path / CHECKSUMS} is missing or damaged ({type(error).__name__}).") from error
    if not known:
        raise RunError(f"{path / CHECKSUMS} is damaged: it does not name {STATE} and {TENSORS}.")
    for name, expected in checksums.items():
        if not (path / name).is_file():
            raise RunError(f"{path / name} is missing.")
        if _checksum_or_none(path / name) != expected:
            raise RunError(f"{path / name} is damaged: its checksum is not the one that {CHECKSUMS} says.")


def _checksum_or_none(path: Path) -> str | None:
    """A disk that fails cannot be read; that is damage like any other."""
    try:
        return checksum_of(path)
    except OSError:
        return None
