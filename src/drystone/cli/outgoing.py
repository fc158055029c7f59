"""Bytes to standard output, all of them, however slowly they are read."""

import os
import select


def write_all(handle: int, content: bytes) -> None:
    """Writes everything, and waits for the reader where it must.

    Raises:
        BrokenPipeError: nobody reads any more.
        OSError: it cannot be written.
    """
    left = memoryview(content)
    while left:
        try:
            left = left[os.write(handle, left) :]
        except BlockingIOError:
            select.select([], [handle], [])
