"""Ctrl-C while nothing is at stake: it ends the program at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 130  # the exit code that shells give a program that Ctrl-C ended


@contextmanager
def ends_at_once() -> Iterator[None]:
    """Lets Ctrl-C end the program without a word, since libraries may swallow it while they are loaded."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
