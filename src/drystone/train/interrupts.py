"""Ctrl-C and SIGTERM: a training stops between two batches, and files are written whole."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class StopRequested(Exception):  # noqa: N818  (no error: someone asked)
    """Raised within an evaluation that is asked to stop."""


class StopRequest:
    """Remembers that the process was asked to stop.

    Args:
        by: the signal that asked, or None.
    """

    def __init__(self) -> None:
        self.by: signal.Signals | None = None

    def check(self) -> None:
        """Raises StopRequested if someone asked."""
        if self.by is not None:
            raise StopRequested

    def _ask(self, number: int, _frame: Any) -> None:
        if self.by == number == signal.SIGINT:
            raise KeyboardInterrupt  # Ctrl-C twice: at once
        self.by = signal.Signals(number)


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Turns Ctrl-C and SIGTERM into a request, where the main thread trains; the second Ctrl-C ends at once."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, request._ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ignores Ctrl-C for the moment that it takes to write a file."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def interrupts_given_back() -> Iterator[None]:
    """Lets Ctrl-C do afterwards what it did before, where something within takes it over for good."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
