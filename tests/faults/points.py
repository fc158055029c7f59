"""Every moment at which this process writes, counted; at one of them something happens."""

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


class Points:
    """The points at which files in a folder are opened for writing, written, synced, made, renamed.

    Not those that need no space: files are removed, or cut back.

    Args:
        folder: others do not count.
        at: called at each point with its number, counted from 0, before it is done; what it raises, the point raises.
    """

    def __init__(self, folder: Path, at: Callable[[int], None]) -> None:
        self.count = 0
        self._folder = str(folder)
        self._at = at

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Counts while it lasts."""
        with pytest.MonkeyPatch.context() as patch:
            for name in ("mkdir", "rename", "replace"):
                patch.setattr(os, name, self._by_path(getattr(os, name)))
            patch.setattr(os, "fsync", self._always(os.fsync))
            patch.setattr(io, "open", self._opening(io.open))
            yield

    def _point(self) -> None:
        self.count += 1
        self._at(self.count - 1)

    def _is_inside(self, path: Any) -> bool:
        return isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith(self._folder)

    def _always(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            self._point()
            return real(*args, **named)

        return call

    def _by_path(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *args: Any, **named: Any) -> Any:
            if self._is_inside(path):
                self._point()
            return real(path, *args, **named)

        return call

    def _opening(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, mode: str = "r", *args: Any, **named: Any) -> Any:
            if not self._is_inside(path) or not set(mode) & set("wax+"):
                return real(path, mode, *args, **named)
            self._point()
            file = real(path, mode, *args, **named)
            file.write = self._half_written(file.write)
            return file

        return call

    def _half_written(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(data: Any) -> Any:
            try:
                self._point()
            except OSError:
                real(data[: len(data) // 2])
                raise
            return real(data)

        return call


def full_from(first: int) -> Callable[[int], None]:
    """A disk that is full from a point on."""

    def at(number: int) -> None:
        if number >= first:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return at
