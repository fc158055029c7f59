"""The states of all streams on the disk: a file saved now and then, and a journal of what came since."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from drystone.core.errors import DataError
from drystone.torch.streaming.predictor import StatefulPredictor
from drystone.train.checkpoint.files import checksum_of, written
from drystone.train.follow.journal import Base, Entry, Journal, base_of, entries_of


class KeptState:
    """Keeps the states of a predictor in a file, so that a killed process loses nothing that it has answered.

    Args:
        path: of the safetensors file; a journal and a lock lie beside it.
        predictor: whose states.
    """

    def __init__(self, path: Path, predictor: StatefulPredictor) -> None:
        self._path = path.resolve()
        self._journal_path = self._path.with_name(f"{self._path.name}.journal")
        self._predictor = predictor
        self._journal: Journal | None = None

    @contextmanager
    def held(self, again: Callable[[Entry], object]) -> Iterator[None]:
        """Restores the states and keeps the file to itself.

        Args:
            again: runs the lines of an entry that came after the file was saved.

        Raises:
            DataError: another process keeps its states there, the file belongs to another model or is damaged, or its
                folder is not there; nothing is changed then.
        """
        if not self._path.parent.is_dir():
            raise DataError(f"there is no folder {self._path.parent}; make it first.")
        if self._path.is_dir():
            raise DataError(
                f"{self._path} is a folder; name a file in it, such as {self._path / 'states.safetensors'}."
            )
        lock = FileLock(self._path.with_name(f".{self._path.name}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise DataError(
                f"another process keeps its states in {self._path}; stop it, or name another file."
            ) from None
        try:
            self._restore(again)
            yield
        finally:
            self._close()
            lock.release()

    def add(self, entry: Entry) -> None:
        """Notes lines that moved streams, before anybody is told what came of them.

        Raises:
            RunError: they could not be written.
        """
        assert self._journal is not None
        with written(self._journal_path):
            self._journal.add(entry)

    def save(self) -> None:
        """Writes all states, if they moved, and begins a new journal.

        Raises:
            RunError: they could not be written; the journal goes on.
        """
        assert self._journal is not None
        if not self._journal.num_entries:
            return
        with written(self._path):
            self._predictor.save(self._path)
            self._journal.close()
            self._journal = self._new_journal()

    def _restore(self, again: Callable[[Entry], object]) -> None:
        if self._path.exists():
            self._predictor.load(self._path)
        if self._journal_path.exists() and self._follows_on_these():
            for entry in entries_of(self._journal_path):
                again(entry)
            with written(self._path):
                self._predictor.save(self._path)
        with written(self._journal_path):
            self._journal = self._new_journal()

    def _follows_on_these(self) -> bool:
        """Whether the journal goes on from the states in the file; one that does not is set aside."""
        base, now = base_of(self._journal_path), self._base()
        if base.states != now.states:
            aside = self._journal_path.with_name(f"{self._journal_path.name}.old")
            with written(aside):
                self._journal_path.replace(aside)
            warnings.warn(
                f"{self._journal_path} follows on other states than those in {self._path}: a process ended just after it had "
                f"saved them, or the file was replaced. It was set aside as {aside}.",
                stacklevel=2,
            )
            return False
        if base.model != now.model:
            raise DataError(
                f"{self._journal_path} holds what came in for another model than this one. Use its run, or remove it and "
                f"{self._path} to begin anew."
            )
        return True

    def _close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            if not self._journal.num_entries:
                self._journal_path.unlink()

    def _new_journal(self) -> Journal:
        return Journal(self._journal_path, self._base())

    def _base(self) -> Base:
        states = checksum_of(self._path) if self._path.exists() else ""
        return Base(states=states, model=self._predictor.fingerprint)
