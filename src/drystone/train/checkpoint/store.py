"""The checkpoints of a run: the last ones are kept, and damage to one falls back to the one before."""

import re
from pathlib import Path

from drystone.core.errors import RunError
from drystone.train.checkpoint.checkpoint import Checkpoint, older_of
from drystone.train.checkpoint.files import clean, remove_folder

NUM_KEPT = 2
NAME = re.compile(r"update-(\d+)(?:\.older)?")


class Store:
    """A folder of checkpoints, one a folder: update-00000450, ...

    Args:
        path: made when the first one is saved.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def updates(self) -> list[int]:
        """Returns the updates that there are checkpoints of, the newest first."""
        found = (NAME.fullmatch(child.name) for child in self.path.iterdir()) if self.path.is_dir() else ()
        return sorted({int(match[1]) for match in found if match}, reverse=True)

    def save(self, update: int, checkpoint: Checkpoint) -> None:
        """Writes a checkpoint; only then are those removed that are not kept any more.

        Raises:
            RunError: it could not be written; those that there are stay.
        """
        checkpoint.save(self.path_of(update))
        newer = [other for other in self.updates() if other > update]  # of a future that was given up
        older = [other for other in self.updates() if other <= update][NUM_KEPT:]
        for other in newer + older:
            for path in self._paths_of(other):
                remove_folder(path)

    def newest(self) -> tuple[Checkpoint | None, list[str]]:
        """Returns the newest checkpoint that is whole, or None where there is none; and what is wrong with newer ones.

        Raises:
            RunError: there are some, and all are damaged.
        """
        damages: list[str] = []
        for path in (path for update in self.updates() for path in self._paths_of(update) if path.is_dir()):
            try:
                return Checkpoint.load(path), damages
            except RunError as error:
                damages.append(str(error))
        if damages:
            raise RunError(f"no checkpoint in {self.path} is whole: {' '.join(damages)}")
        return None, damages

    def clean(self) -> None:
        """Removes what a process that was killed left half-written."""
        clean(self.path)

    def path_of(self, update: int) -> Path:
        """Returns the folder of the checkpoint of an update."""
        return self.path / f"update-{update:08d}"

    def _paths_of(self, update: int) -> tuple[Path, Path]:
        return self.path_of(update), older_of(self.path_of(update))
