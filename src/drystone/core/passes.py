"""One pass over the batches of an epoch."""

from collections.abc import Callable
from typing import Any, Self, final

from drystone.core.batch import Batch
from drystone.core.feed import Ended, Made
from drystone.core.read_ahead import ReadAhead


@final
class Pass:
    """An iterator over batches that reports each one delivered, and the end.

    Args:
        queue: the batches, and after them the end.
        delivered: called before each batch is handed out.
        finished: called when all were handed out.
    """

    def __init__(
        self,
        queue: ReadAhead[Made[Any] | Ended],
        delivered: Callable[[Made[Any]], None],
        finished: Callable[[Ended], None],
    ) -> None:
        self._queue = queue
        self._delivered = delivered
        self._finished = finished
        self.is_over = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        if self.is_over:
            raise StopIteration
        try:
            found = self._queue.take()
        except BaseException:
            self.close()
            raise
        if isinstance(found, Made):
            self._delivered(found)
            return found.batch
        self.close()
        if found is not None:
            self._finished(found)
        raise StopIteration

    def close(self) -> None:
        """Ends the pass; the epoch does not move on."""
        self.is_over = True
        self._queue.close()
