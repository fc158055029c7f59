"""Lines of standard input as they come: all that are there at once, together."""

import os
import queue
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
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._chunks: queue.Queue[bytes] = queue.Queue(MAX_WAITING)
        threading.Thread(target=self._read, daemon=True).start()

    def batches(self, is_stopped: Callable[[], bool]) -> Iterator[list[bytes]]:
        """Yields lines that came together; an empty list where none came for a while.

        It ends with the input, or, once it is to stop, with the whole lines that were read until then.
        """
        rest, is_over = b"", False
        while not is_over:
            try:
                found = [self._chunks.get(timeout=SECONDS)]
            except queue.Empty:
                found = []
            while len(found) < MAX_WAITING and not self._chunks.empty():
                found.append(self._chunks.get())
            is_over = is_stopped() or b"" in found
            *lines, rest = (rest + b"".join(found)).split(b"\n")
            if b"" in found and rest:
                lines.append(rest)
            for first in range(0, len(lines) or 1, MAX_LINES):
                yield lines[first : first + MAX_LINES]

    def _read(self) -> None:
        try:
            while chunk := os.read(self._handle, CHUNK):
                self._chunks.put(chunk)
        finally:
            self._chunks.put(b"")
