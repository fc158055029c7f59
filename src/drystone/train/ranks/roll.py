"""The roll of all ranks: who still answers when the connection is lost, and who speaks for all."""

from datetime import timedelta
from time import monotonic, sleep

from torch.distributed.distributed_c10d import Store

CALL_SECONDS = 3.0  # how long the others are given to say that they are there
BETWEEN = 0.05


class Roll:
    """Ranks leave marks in a store that outlives each of them.

    Args:
        store: of `torch.distributed`, the same for all ranks.
        rank, num_ranks: which one this is, of how many.
        timeout: how long a rank is waited for.
    """

    def __init__(self, store: Store, rank: int, num_ranks: int, timeout: timedelta) -> None:
        self._store = store
        self._rank = rank
        self._num_ranks = num_ranks
        self._timeout = timeout

    def words_for_lost(self) -> str:
        """Says which ranks do not answer any more."""
        lost = self._who_is_lost()
        named = f"rank {lost[0]}" if len(lost) == 1 else f"ranks {', '.join(map(str, lost))}" if lost else "a rank"
        seconds = f"{self._timeout.total_seconds():,.0f}"
        return (
            f"{named} of {self._num_ranks} is lost: the process died, stopped with an error of its own, or did not "
            f"answer for {seconds} s."
        )

    def claims_to_speak(self) -> bool:
        """Returns whether nobody claimed it before; where the store is gone, nobody can tell."""
        try:
            return self._store.add("speakers", 1) == 1
        except RuntimeError:
            return True

    def _who_is_lost(self) -> list[int]:
        """Calls the roll: all who notice that someone is lost answer."""
        others = [rank for rank in range(self._num_ranks) if rank != self._rank]
        try:
            self._store.set(f"here/{self._rank}", "yes")
            until = monotonic() + CALL_SECONDS
            while others and monotonic() < until:
                others = [rank for rank in others if not self._store.check([f"here/{rank}"])]
                sleep(BETWEEN)
        except RuntimeError:  # the store is lost too
            return []
        return others
