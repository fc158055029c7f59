"""One shard: a file with some of the sequences, here or elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from drystone.core.errors import DataError
from drystone.readers.guard import reading

ENDINGS = (".parquet", ".arrow", ".feather", ".ipc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A file with some of the sequences.

    Args:
        name: what messages call it.
        path: where it lies in its file system.
        num_bytes: its size.
        version: what changes when the file does: the time of its last change, or what a server says in its place.
        files: the fsspec file system of a file that lies elsewhere; None here.
    """

    name: str
    path: str
    num_bytes: int
    version: str
    files: Any = None

    @property
    def is_parquet(self) -> bool:
        return self.path.lower().endswith(".parquet")

    @contextmanager
    def opened(self) -> Iterator[pa.NativeFile]:
        """Gives the open file; every error of reading it becomes a DataError that names it.

        Raises:
            DataError: it is missing, damaged, or not to be had.
        """
        with reading(self.name), self._reached(), self._file() as file:
            yield file

    @contextmanager
    def _file(self) -> Iterator[pa.NativeFile]:
        if self.files is None:
            # Files of Arrow's, so that memory is Arrow's too; record batches need no memory of their own in a map.
            with pa.OSFile(self.path) if self.is_parquet else pa.memory_map(self.path) as file:
                yield file
        else:
            with self.files.open(self.path, "rb") as file:
                yield pa.PythonFile(file, mode="r")

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Servers fail in ways of their own."""
        try:
            yield
        except (DataError, OSError, pa.ArrowException, ValueError, MemoryError):
            raise
        except Exception as error:
            if self.files is None:
                raise
            raise DataError(f"cannot read {self.name}: {error}") from error
