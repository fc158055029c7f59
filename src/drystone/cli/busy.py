"""A sign of life on a terminal, for work that takes longer than a moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer

from drystone.readers.progress import PATIENCE_SECONDS, console


@contextmanager
def busy() -> Iterator[Callable[[str], None]]:
    """Gives a function that says what is done now; it is shown on stderr, on a terminal, after a second.

    Example:
        >>> with busy() as say:
        ...     say("reading")
    """
    status = console().status("")
    timer = Timer(PATIENCE_SECONDS, status.start)
    if console().is_terminal:
        timer.start()
    try:
        yield status.update
    finally:
        if timer.ident is not None:
            timer.cancel()
            timer.join()
        status.stop()
