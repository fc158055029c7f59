"""Taking things from an iterator in the background, before they are asked for."""

import weakref
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Generic, TypeVar, final

T = TypeVar("T")


@final
class ReadAhead(Generic[T]):
    """Takes from an iterator in its order, some of it before it is asked for.

    Args:
        source: what to take from; None stands for its end.
        depth: how many are taken ahead; 0 takes each when it is asked for.
        in_background: whether a thread takes them one by one, or they are taken together whenever none is left.
    """

    def __init__(self, source: Iterator[T], depth: int, *, in_background: bool) -> None:
        self._source = source
        self._depth = depth
        self._ahead: deque[Future[T | None] | _Made[T | None]] = deque()
        self._pool = ThreadPoolExecutor(1, "drystone-reader") if depth and in_background else None
        # Queued work must not refer to this object, so that an abandoned pass ends at once.
        self.close = weakref.finalize(self, _stop, self._pool, self._ahead)
        self.wait: Callable[[], None] = _nothing if self._pool is None else partial(self._pool.shutdown, wait=True)

    def take(self) -> T | None:
        """Returns the next one, or None after the last; an error of making it is raised here."""
        if self._pool is not None:
            while len(self._ahead) <= self._depth:
                self._ahead.append(self._pool.submit(_next, self._source))
        elif not self._ahead:
            self._ahead.extend(_together(self._source, self._depth + 1))
        return self._ahead.popleft().result()


def _next(source: Iterator[T]) -> T | None:
    return next(source, None)


class _Made(Generic[T]):
    """What taking something came to: as a Future that is done, and lighter."""

    __slots__ = ("_error", "_value")

    def __init__(self, value: T, error: Exception | None = None) -> None:
        self._value = value
        self._error = error

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value


def _together(source: Iterator[T], count: int) -> "Iterator[_Made[T | None]]":
    """Takes several, up to the end or the first error."""
    for _ in range(count):
        try:
            value = _next(source)
        except Exception as error:  # noqa: BLE001  (raised where the batch that it belongs to is taken)
            yield _Made(None, error)
            return
        yield _Made(value)
        if value is None:
            return


def _stop(pool: ThreadPoolExecutor | None, ahead: "deque[Any]") -> None:
    ahead.clear()
    if pool is not None:
        pool.shutdown(wait=False, cancel_futures=True)


def _nothing() -> None:
    pass
