"""The loader: an epoch of batches a pass, read ahead, resumable at any batch."""

import weakref
from collections.abc import Collection
from functools import cached_property, partial
from hashlib import blake2b
from typing import Any, final

from drystone.core.collate import collate
from drystone.core.errors import DataError, DrystoneError
from drystone.core.layouts.base import Layout, check_positive
from drystone.core.plan import Plan
from drystone.core.read_ahead import Pass, ReadAhead
from drystone.core.sequences import Sequences
from drystone.core.shuffle import check_seed

STATE_VERSION = 1


@final
class Loader:
    """Batches of sequences, laid out anew each epoch.

    One pass is one epoch, and only a finished pass moves on to the next. A pass starts at the first batch of
    `epoch`, or at the position that `load_state_dict` set. Reading ahead changes neither order nor state.

    Args:
        seqs: the sequences.
        layout: how they are laid out.
        seed: of the random orders, 0 … 2⁶⁴ − 1.
        fields: the fields that batches hold; all by default.
        read_ahead: batches collated in the background while one is in use; 0 collates each when it is asked for.

    Example:
        >>> from drystone import Padded
        >>> seqs = Sequences.from_arrays(per_step={"x": [[1, 2, 3], [4], [5, 6]]})
        >>> loader = Loader(seqs, Padded(batch_size=2, order="given"))
        >>> [batch["x"].tolist() for batch in loader], loader.epoch
        ([[[1, 2, 3], [4, 0, 0]], [[5, 6]]], 1)
    """

    def __init__(
        self,
        seqs: Sequences,
        layout: Layout,
        seed: int = 0,
        *,
        fields: Collection[str] | None = None,
        read_ahead: int = 2,
    ) -> None:
        if read_ahead:
            check_positive("Loader", read_ahead=read_ahead)
        self._fields = (fields,) if isinstance(fields, str) else fields
        for name in self._fields or ():
            seqs.field(name)
        self.seqs = seqs
        self.layout = layout
        self.seed = check_seed("seed", seed)
        self._read_ahead = read_ahead
        self._epoch = 0
        self._delivered = 0
        self._start = 0
        self._pass: weakref.ref[Pass] | None = None
        self._plan: tuple[int, Plan] | None = None

    @property
    def epoch(self) -> int:
        """The epoch that the current or next pass delivers; setting it sets the position to its first batch."""
        return self._epoch

    @epoch.setter
    def epoch(self, value: int) -> None:
        self._refuse_live_pass()
        self._epoch = check_seed("epoch", value)
        self._delivered = self._start = 0

    @property
    def plan(self) -> Plan:
        """The plan of the current epoch."""
        if self._plan is None or self._plan[0] != self._epoch:
            self._plan = self._epoch, self._planned(self._epoch)
        return self._plan[1]

    def __len__(self) -> int:
        """The batches of the current epoch, from its first one."""
        return self.plan.num_batches

    def __iter__(self) -> Pass:
        self._refuse_live_pass()
        start, self._start = self._start, 0
        self._delivered = start
        make = partial(collate, self.seqs, self.plan, fields=self._fields)
        queue = ReadAhead(make, range(start, self.plan.num_batches), self._read_ahead)
        new = Pass(queue, self._delivered_one, self._finished)
        self._pass = weakref.ref(new)
        return new

    def state_dict(self) -> dict[str, Any]:
        """Returns the position: the epoch, and how many of its batches were delivered (not: read ahead)."""
        return {
            "version": STATE_VERSION,
            "seed": self.seed,
            "epoch": self._epoch,
            "batches": self._delivered,
            "layout": repr(self.layout),
            "lengths": self._fingerprint,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Sets the position that the next pass starts from; reads no data.

        Raises:
            DataError: the state is of other lengths, another layout, seed or version, or is damaged; the message
                says what differs, and the position stays as it was.
        """
        self._refuse_live_pass()
        now = self.state_dict()
        for key in ("version", "seed", "layout", "lengths"):
            if state.get(key) != now[key]:
                raise DataError(f"the saved position has {key} {state.get(key)!r}; this loader has {now[key]!r}.")
        epoch, batches = state.get("epoch"), state.get("batches")
        if not isinstance(epoch, int) or not isinstance(batches, int) or epoch < 0:
            raise DataError(f"the saved position is damaged: epoch {epoch!r}, batches {batches!r}.")
        plan = self._planned(epoch)
        if not 0 <= batches <= plan.num_batches:
            raise DataError(f"the saved position is batch {batches}; epoch {epoch} has {plan.num_batches}.")
        self._plan = epoch, plan
        self._epoch = epoch
        self._start = self._delivered = batches

    @cached_property
    def _fingerprint(self) -> str:
        return blake2b(self.seqs.lengths.tobytes(), digest_size=8).hexdigest()

    def _planned(self, epoch: int) -> Plan:
        return self.layout.plan(self.seqs.lengths, self.seed, epoch)

    def _refuse_live_pass(self) -> None:
        live = self._pass() if self._pass is not None else None
        if live is not None and not live.is_over:
            raise DrystoneError(
                "a pass over this loader is still going on; finish or close() it first, "
                "or make a second Loader for a second pass."
            )

    def _delivered_one(self) -> None:
        self._delivered += 1

    def _finished(self) -> None:
        self._epoch += 1
        self._delivered = 0
