"""One pass over the batches of an epoch, read ahead in the background."""

import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import final

from drystone.core.batch import Batch


@final
class ReadAhead:
    """Makes batches in order, some of them before they are asked for.

    Args:
        make: makes one batch, by number.
        numbers: of the batches to make.
        depth: how many are made ahead; 0 makes each when it is asked for.
    """

    def __init__(self, make: Callable[[int], Batch], numbers: Iterable[int], depth: int) -> None:
        self._make = make
        self._numbers: Iterator[int] = iter(numbers)
        self._depth = depth
        self._ahead: deque[Future[Batch]] = deque()
        self._pool = ThreadPoolExecutor(1, "drystone-reader") if depth else None
        # Queued work must not refer to this object, so that an abandoned pass ends at once.
        self.close = weakref.finalize(self, _stop, self._pool, self._ahead)

    def take(self) -> Batch | None:
        """Returns the next batch, or None after the last; an error of making it is raised here."""
        if self._pool is None:
            number = next(self._numbers, None)
            return None if number is None else self._make(number)
        while len(self._ahead) <= self._depth and (number := next(self._numbers, None)) is not None:
            self._ahead.append(self._pool.submit(self._make, number))
        return self._ahead.popleft().result() if self._ahead else None


@final
class Pass:
    """An iterator over batches that reports each one delivered, and the end.

    Args:
        queue: the batches.
        delivered: called before each batch is handed out.
        finished: called when all were handed out.
    """

    def __init__(self, queue: ReadAhead, delivered: Callable[[], None], finished: Callable[[], None]) -> None:
        self._queue = queue
        self._delivered = delivered
        self._finished = finished
        self.is_over = False

    def __iter__(self) -> "Pass":
        return self

    def __next__(self) -> Batch:
        if self.is_over:
            raise StopIteration
        try:
            batch = self._queue.take()
        except BaseException:
            self.close()
            raise
        if batch is None:
            self.close()
            self._finished()
            raise StopIteration
        self._delivered()
        return batch

    def close(self) -> None:
        """Ends the pass; the epoch does not move on."""
        self.is_over = True
        self._queue.close()


def _stop(pool: ThreadPoolExecutor | None, ahead: "deque[Future[Batch]]") -> None:
    ahead.clear()
    if pool is not None:
        pool.shutdown(wait=False, cancel_futures=True)
