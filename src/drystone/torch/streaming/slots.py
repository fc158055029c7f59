"""Which slot of the table each stream has, how many steps it had, and when it was used last."""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

FREE = -1


class Slots:
    """The streams that are held; what no stream needs any more is used again.

    Args:
        max_streams: the most that are held; None for no bound.
    """

    def __init__(self, max_streams: int | None = None) -> None:
        self._max_streams = max_streams
        self._slot_of: dict[str, int] = {}
        self._stream_in: list[str] = []
        self._free: list[int] = []
        self._uses = 0
        self._last: tuple[Sequence[str], Ints] | None = None
        self._oldest = np.inf
        self.capacity = 0
        self.num_forgotten = 0
        self.num_steps = np.zeros(0, np.int64)
        self.use = np.zeros(0, np.int64)
        self.used_at = np.zeros(0, np.float64)
        self._row = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._slot_of)

    @property
    def streams(self) -> list[str]:
        """The ids of the streams that are held, the least recently used first."""
        return [self._stream_in[slot] for slot in self.in_use().tolist()]

    def in_use(self) -> Ints:
        """Returns the slots that hold a stream, the least recently used first."""
        held = np.fromiter(self._slot_of.values(), np.int64, len(self))
        return held[np.argsort(self.use[held])]

    def find(self, streams: Sequence[str]) -> Ints:
        """Returns the slot of each stream, FREE where it is not held."""
        if self._last is not None and self._last[0] is streams:
            return self._last[1]
        return np.fromiter(map(self._slot_of.get, streams, repeat(FREE)), np.int64, len(streams))

    def are_held_once(self, rows: Sequence[Any]) -> bool:
        """Whether rows are ids of streams that are held, each once; `find` then knows them already."""
        try:
            found = self.find(rows)
        except TypeError:  # not hashable
            return False
        if (found == FREE).any():
            return False
        number = np.arange(len(found))
        self._row[found] = number  # of a stream that comes twice, the last row stays
        if (self._row[found] != number).any():
            return False
        self._last = (rows, found)
        return True

    def needed(self, num_new: int) -> int:
        """Returns how many slots the table must have before so many streams are added: it grows by doubling."""
        wanted = len(self) + num_new
        wanted = wanted if self._max_streams is None else min(wanted, self._max_streams)
        if wanted <= self.capacity:
            return self.capacity
        doubled = max(wanted, 2 * self.capacity)
        return doubled if self._max_streams is None else min(doubled, self._max_streams)

    def use_streams(self, streams: Sequence[str], found: Ints, num_steps: Ints, now: float) -> Ints:
        """Counts steps of streams, gives slots to those that have none, and returns the slots of all.

        Where there are more than the bound, those that were not used for longest are forgotten.

        Args:
            streams: each once, no more than the bound.
            found: what `find` returned for them.
            num_steps: of each.
            now: seconds.
        """
        new = np.flatnonzero(found == FREE)
        self._grow(self.needed(len(new)))
        order = self._uses + np.arange(len(streams))
        slots = found
        if len(new):
            known = found != FREE
            self.use[found[known]] = order[known]  # these are not forgotten for room
            self._make_room(len(new))
            slots = found.copy()
            slots[new] = [self._add(streams[at]) for at in new.tolist()]
        self.use[slots] = order
        self.num_steps[slots] += num_steps
        self.used_at[slots] = now
        self._uses += len(streams)
        self._oldest = min(self._oldest, now)
        self._last = (streams, slots)
        return slots

    def forget(self, streams: Iterable[str]) -> int:
        """Frees the slots of streams, and returns how many of them were held."""
        held = [stream for stream in streams if stream in self._slot_of]
        for stream in held:
            self._remove(stream)
        return len(held)

    def forget_unused_since(self, seconds: float) -> None:
        """Forgets streams that were used last before this time."""
        if self._oldest >= seconds:
            return
        unused = np.flatnonzero(self.used_at < seconds)
        self.num_forgotten += self.forget([self._stream_in[slot] for slot in unused.tolist()])
        self._oldest = self.used_at.min()

    def restore(self, streams: Sequence[str], num_steps: Ints, used_at: npt.NDArray[np.float64]) -> Ints:
        """Puts streams into an empty table, the least recently used first, and returns their slots."""
        slots = self.use_streams(streams, np.full(len(streams), FREE), num_steps, np.inf)
        self.used_at[slots] = used_at
        self._oldest = used_at.min(initial=np.inf)
        return slots

    def _make_room(self, num_new: int) -> None:
        surplus = 0 if self._max_streams is None else len(self) + num_new - self._max_streams
        if surplus > 0:
            held = np.fromiter(self._slot_of.values(), np.int64, len(self))
            oldest = held[np.argpartition(self.use[held], surplus - 1)[:surplus]]
            self.num_forgotten += self.forget([self._stream_in[slot] for slot in oldest.tolist()])

    def _add(self, stream: str) -> int:
        if self._free:
            slot = self._free.pop()
            self._stream_in[slot] = stream
        else:
            slot = len(self._stream_in)
            self._stream_in.append(stream)
        self._slot_of[stream] = slot
        return slot

    def _remove(self, stream: str) -> None:
        slot = self._slot_of.pop(stream)
        self._stream_in[slot] = ""
        self._free.append(slot)
        self.num_steps[slot], self.used_at[slot] = 0, np.inf
        self._last = None

    def _grow(self, capacity: int) -> None:
        if capacity == self.capacity:
            return
        more = capacity - self.capacity
        self.num_steps = np.append(self.num_steps, np.zeros(more, np.int64))
        self.use = np.append(self.use, np.zeros(more, np.int64))
        self.used_at = np.append(self.used_at, np.full(more, np.inf))
        self._row = np.zeros(capacity, np.int64)
        self.capacity = capacity
