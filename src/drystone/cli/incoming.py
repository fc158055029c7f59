"""Lines of standard input as they come: all that are there at once, together."""

import os
import queue
import select
import threading
from collections.abc import Callable, Iterator

CHUNK = 1 << 16  # bytes
MAX_WAITING = 64  # chunks read ahead
MAX_LINES = 1 << 14  # that are given together
SECONDS = 0.2  # between looks at whether to stop


class Incoming:
    """Reads lines in a thread of its own, so that those who wait for them can be asked to stop.

    Args:
        handle: of the file that is read, such as that of standard input.
        max_bytes: of a line; what is longer is given as its first bytes, one more than these.
    """

    def __init__(self, handle: int, max_bytes: int) -> None:
        self._handle = handle
        self._max_bytes = max_bytes
        self._chunks: queue.Queue[bytes | OSError] = queue.Queue(MAX_WAITING)
        self._rest: list[bytes] = []
        threading.Thread(target=self._read, daemon=True).start()

    def batches(self, is_stopped: Callable[[], bool]) -> Iterator[list[bytes]]:
        """Yields lines that came together; an empty list where none came for a while.

        It ends with the input, or, once it is to stop, with the whole lines that were read until then.

        Raises:
            OSError: the input cannot be read any further.
        """
        is_over = False
        while not is_over:
            chunks = self._waiting()
            is_over = is_stopped() or b"" in chunks
            lines = [line for chunk in chunks for line in self._lines(chunk)]
            if b"" in chunks and any(self._rest):
                lines.append(b"".join(self._rest))
            for first in range(0, len(lines) or 1, MAX_LINES):
                yield lines[first : first + MAX_LINES]

    def _waiting(self) -> list[bytes]:
        """What was read since; if nothing was, what comes within a moment."""
        found: list[bytes] = []
        try:
            found.append(self._checked(self._chunks.get(timeout=SECONDS)))
            while len(found) < MAX_WAITING:
                found.append(self._checked(self._chunks.get_nowait()))
        except queue.Empty:
            pass
        return found

    def _checked(self, chunk: bytes | OSError) -> bytes:
        if isinstance(chunk, OSError):
            raise chunk
        return chunk

    def _lines(self, chunk: bytes) -> list[bytes]:
        """The lines that end in a chunk; the rest is kept, as far as a line may go."""
        first, *others = chunk.split(b"\n")
        room = max(self._max_bytes + 1 - sum(map(len, self._rest)), 0)
        self._rest.append(first[:room])
        if not others:
            return []
        *whole, rest = others
        lines = [b"".join(self._rest), *whole]
        self._rest = [rest]
        return lines

    def _read(self) -> None:
        try:
            while chunk := self._next():
                self._chunks.put(chunk)
            self._chunks.put(b"")
        except OSError as error:
            self._chunks.put(error)

    def _next(self) -> bytes:
        while True:
            try:
                return os.read(self._handle, CHUNK)
            except BlockingIOError:
                select.select([self._handle], [], [])
