"""Arrays in files of raw memory: appended to, copied, memory-mapped."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

import numpy as np
import numpy.typing as npt

BLOCK_BYTES = 4 << 20  # copied at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Values of one type that lie one after the other.

    Args:
        kind: their type, as NumPy writes it, such as "<f4".
        num_values: how many.
    """

    kind: str
    num_values: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFile:
    """A file of values of one shape.

    Args:
        path: where it lies.
        item_shape: of one value.
        segments: of its values, in order; their types differ where an integer was missing in some rows only.
    """

    path: Path
    item_shape: tuple[int, ...]
    segments: tuple[Segment, ...]

    def blocks(self) -> Iterator[npt.NDArray[Any]]:
        """Yields all values in order, some megabytes at a time."""
        item = prod(self.item_shape)
        with self.path.open("rb") as file:
            for segment in self.segments:
                most = max(1, BLOCK_BYTES // (item * np.dtype(segment.kind).itemsize))
                for start in range(0, segment.num_values, most):
                    count = min(most, segment.num_values - start)
                    yield np.fromfile(file, segment.kind, count * item).reshape(count, *self.item_shape)

    @property
    def num_values(self) -> int:
        return sum(segment.num_values for segment in self.segments)

    def mapped(self) -> npt.NDArray[Any]:
        """Returns the values of a file of one type, memory-mapped and read-only."""
        (segment,) = self.segments
        shape = (segment.num_values, *self.item_shape)
        if 0 in shape:
            return np.zeros(shape, segment.kind)
        return np.asarray(np.memmap(self.path, segment.kind, "r", shape=shape))


@final
class RawWriter:
    """Appends arrays to a new file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("xb")
        self._item_shape: tuple[int, ...] = ()
        self._segments: list[Segment] = []

    def append(self, values: npt.NDArray[Any]) -> None:
        """Writes values after those that are there."""
        kind, count = values.dtype.str, len(values)
        if self._segments and self._segments[-1].kind == kind:
            count += self._segments.pop().num_values
        self._segments.append(Segment(kind=kind, num_values=count))
        self._item_shape = values.shape[1:]
        self._file.write(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)

    def done(self) -> RawFile:
        """Closes the file, and returns what it holds."""
        self._file.close()
        return RawFile(path=self._path, item_shape=self._item_shape, segments=tuple(self._segments))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()


def write_blocks(path: Path, blocks: Iterable[npt.NDArray[Any]]) -> RawFile:
    """Writes arrays one after the other into a new file."""
    with RawWriter(path) as writer:
        for block in blocks:
            writer.append(block)
        return writer.done()
