"""What a loader delivers: the batches of an epoch from any position, and positions as plain data."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar, final

import pyarrow as pa

from drystone.core.batch import Batch
from drystone.core.collate import collate
from drystone.core.layouts.base import Layout
from drystone.core.plan import Plan
from drystone.core.position import check_batches, fingerprint_of
from drystone.core.sequences import Sequences

P = TypeVar("P")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Made(Generic[P]):
    """A batch, and the position just after it."""

    batch: Batch
    position: P


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ended:
    """The end of an epoch, and what it left out: sequence, offset, length, reason."""

    dropped: pa.Table


class Feed(Protocol[P]):
    """Makes the batches of an epoch, from any position in it."""

    def fingerprint(self) -> Mapping[str, str]:
        """Returns what tells the data from other data."""
        ...

    def first(self) -> P:
        """Returns the position before the first batch of the epoch that begins now."""
        ...

    def batches(self, epoch: int, start: P) -> "Iterator[Made[P] | Ended]":
        """Yields the batches of an epoch that come after a position, then its end."""
        ...

    def save(self, position: P) -> dict[str, Any]:
        """Returns a position as data that nobody changes."""
        ...

    def load(self, state: Mapping[str, Any], epoch: int) -> tuple[P, P]:
        """Returns the first position of the epoch, and the saved one.

        Raises:
            DataError: the state is damaged.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a feed makes its batches, and whose rows they hold."""

    layout: Layout
    seed: int
    fields: Collection[str] | None
    rank: int = 0
    num_ranks: int = 1


@final
class SequencesFeed:
    """Batches of sequences that are all there; a position is the number of batches delivered."""

    def __init__(self, seqs: Sequences, settings: Settings) -> None:
        for name in settings.fields or ():
            seqs.field(name)
        self.seqs = seqs
        self._settings = settings
        self._plan: tuple[int, Plan] | None = None

    def fingerprint(self) -> Mapping[str, str]:
        """Of all that the plan depends on: the lengths, and for some layouts the times."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> Mapping[str, str]:
        field = self._settings.layout.time_field
        times = {} if field is None else {"times": self.seqs.field(field).values}
        return fingerprint_of(self.seqs.lengths, **times)

    def plan(self, epoch: int) -> Plan:
        """Returns the plan of an epoch, of the rank's rows; that of the last one asked for is kept."""
        if self._plan is None or self._plan[0] != epoch:
            settings = self._settings
            whole = settings.layout.plan(self.seqs, settings.seed, epoch)
            self._plan = epoch, whole.shard(settings.rank, settings.num_ranks) if settings.num_ranks > 1 else whole
        return self._plan[1]

    def batch(self, epoch: int, number: int) -> Batch:
        """Returns one batch of an epoch."""
        return collate(self.seqs, self.plan(epoch), number, fields=self._settings.fields)

    def first(self) -> int:
        """No batch delivered."""
        return 0

    def batches(self, epoch: int, start: int) -> Iterator[Made[int] | Ended]:
        """Plans the epoch at once; batches are collated one by one."""
        return self._collated(self.plan(epoch), start)

    def _collated(self, plan: Plan, start: int) -> Iterator[Made[int] | Ended]:
        for number in range(start, plan.num_batches):
            batch = collate(self.seqs, plan, number, fields=self._settings.fields)
            yield Made(batch=batch, position=number + 1)
        yield Ended(dropped=plan.dropped)

    def save(self, position: int) -> dict[str, Any]:
        """The batches delivered."""
        return {"batches": position}

    def load(self, state: Mapping[str, Any], epoch: int) -> tuple[int, int]:
        """Reads no data: the plan says whether there is such a batch."""
        return 0, check_batches(state, epoch, self.plan(epoch).num_batches)
