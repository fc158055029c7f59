"""A progress bar on stderr, on a terminal, for reading that takes longer than a moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

PATIENCE_SECONDS = 1.0


@cache
def console() -> "Console":
    """Returns the one console on stderr: what is live on it at the same time keeps apart."""
    from rich.console import Console

    return Console(stderr=True)


@contextmanager
def progress(words: str, total_bytes: float) -> Iterator[Callable[[float], None]]:
    """Gives a function that is told of the bytes that are done, from any thread.

    Args:
        words: what is done.
        total_bytes: of all of it.

    Example:
        >>> with progress("reading", 100) as tell:
        ...     tell(60)
    """
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console(), transient=True)
    task = bar.add_task(words, total=total_bytes)
    timer = Timer(PATIENCE_SECONDS, bar.start)
    timer.daemon = True
    if console().is_terminal:
        timer.start()
    try:
        yield lambda done: bar.advance(task, done)
    finally:
        if timer.ident is not None:
            timer.cancel()
            timer.join()
            bar.stop()  # elsewhere it would print an empty line
