"""A request to stop that all ranks follow at the same moment, whichever of them was asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from signal import Signals

from drystone.train.interrupts import StopRequest, StopRequested, stop_request
from drystone.train.ranks.ranks import Ranks


class Stopping:
    """Knows whether all are to stop.

    Args:
        request: of this process.
        ranks: all of them.
    """

    def __init__(self, request: StopRequest, ranks: Ranks) -> None:
        self.request = request
        self._ranks = ranks

    def check(self) -> None:
        """Raises StopRequested if someone was asked before the ranks last met; it does so on all of them."""
        if self._ranks.someone_asks:
            raise StopRequested

    def check_together(self) -> None:
        """Lets the ranks meet, and raises StopRequested on all of them if someone was asked."""
        self._ranks.meet()
        self.check()

    def agreed(self) -> Signals | None:
        """Returns the signal that asked someone; the ranks meet."""
        return next((by for by in self._ranks.gathered(self.request.by) if by is not None), None)


@contextmanager
def stopping(ranks: Ranks) -> Iterator[Stopping]:
    """Turns Ctrl-C and SIGTERM into a request of this rank, which it makes known where all meet."""
    with stop_request() as request:
        ranks.asks = lambda: request.by is not None
        try:
            yield Stopping(request, ranks)
        finally:
            ranks.asks = lambda: False
