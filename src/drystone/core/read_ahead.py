"""Taking things from an iterator in the background, before they are asked for."""

import weakref
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Generic, TypeVar, final

T = TypeVar("T")


@final
class ReadAhead(Generic[T]):
    """Takes from an iterator in its order, by one thread, some of it before it is asked for.

    Args:
        source: what to take from; None stands for its end.
        depth: how many are taken ahead; 0 takes each when it is asked for.
    """

    def __init__(self, source: Iterator[T], depth: int) -> None:
        self._source = source
        self._depth = depth
        self._ahead: deque[Future[T | None]] = deque()
        self._pool = ThreadPoolExecutor(1, "drystone-reader") if depth else None
        # Queued work must not refer to this object, so that an abandoned pass ends at once.
        self.close = weakref.finalize(self, _stop, self._pool, self._ahead)
        self.wait: Callable[[], None] = _nothing if self._pool is None else partial(self._pool.shutdown, wait=True)

    def take(self) -> T | None:
        """Returns the next one, or None after the last; an error of making it is raised here."""
        if self._pool is None:
            return next(self._source, None)
        while len(self._ahead) <= self._depth:
            self._ahead.append(self._pool.submit(_next, self._source))
        return self._ahead.popleft().result()


def _next(source: Iterator[T]) -> T | None:
    return next(source, None)


def _stop(pool: ThreadPoolExecutor | None, ahead: "deque[Future[T]]") -> None:
    ahead.clear()
    if pool is not None:
        pool.shutdown(wait=False, cancel_futures=True)


def _nothing() -> None:
    pass
