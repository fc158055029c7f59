"""The batches of a plan, for a DataLoader over people's own Dataset."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, final

import numpy.typing as npt
from torch.utils.data import Sampler

from drystone.core.errors import LayoutError
from drystone.core.layouts.base import Layout
from drystone.core.lengths import check_lengths
from drystone.core.plan import Plan
from drystone.core.position import check_batches, check_count, fingerprint_of, refuse_other, source_of
from drystone.core.shares import check_rank
from drystone.core.shuffle import check_seed
from drystone.torch.places import Places


@final
class BatchSampler(Sampler[list[int]]):
    """Lays the sequences of any map-style Dataset out as a `Loader` does, in a `torch.utils.data.DataLoader`.

    Pass it with `Placed(dataset)` and `Collate()`; batches are then those of `drystone.torch.batches(Loader(...))`.
    They are collated in the DataLoader's workers. Each batch it yields is also a plain list of numbers of
    sequences, one a span, for a dataset and a `collate_fn` of your own.

    One pass is one epoch, and only a finished pass moves on to the next. A pass starts at the first batch of
    `epoch`, or at the position that `load_state_dict` set. A DataLoader with workers takes batches ahead of the
    training loop, and the position counts those taken: to save it in mid-epoch, use torchdata's `StatefulDataLoader`,
    which keeps the sampler's state for each batch until that batch is delivered. For the same reason, call
    `set_epoch` when you leave a pass before its end.

    Args:
        lengths: [sequences], whole numbers ≥ 1; lengths[i] is the number of steps of dataset[i].
        layout: how they are laid out.
        seed: of the random orders, 0 … 2⁶⁴ − 1.
        rank, num_ranks: which process of how many this is: it gets its share of the rows of every batch, as a
            `Loader` of a rank does. A rank without a row in a batch gets no number in it.

    Raises:
        DataError: a length that is no whole number ≥ 1.
        PlanError: there is no such rank.
        LayoutError: a sequence that the layout cannot hold, or a seed out of range.

    Example:
        >>> import torch
        >>> from torch.utils.data import DataLoader
        >>> from drystone import Packed
        >>> from drystone.torch import LSTM, Collate, Placed
        >>> dataset = [(torch.randn(steps, 3), steps % 2) for steps in (5, 2, 4, 1)]
        >>> sampler = BatchSampler([len(x) for x, _ in dataset], Packed(rows=2, steps=6))
        >>> lstm = LSTM(3, 8)
        >>> for batch in DataLoader(Placed(dataset), batch_sampler=sampler, collate_fn=Collate()):
        ...     output, _ = lstm(batch["x"], reset=batch.reset, valid=batch.valid)
        ...     last = output[batch.ends.row, batch.ends.step]        # one vector a sequence, for the targets batch["y"]
        ...     print(output.shape, last.shape, batch["y"].shape)
        torch.Size([2, 6, 8]) torch.Size([4, 8]) torch.Size([4])
    """

    def __init__(
        self,
        lengths: npt.ArrayLike | Sequence[int],
        layout: Layout,
        seed: int = 0,
        *,
        rank: int = 0,
        num_ranks: int = 1,
    ) -> None:
        check_rank("BatchSampler", rank, num_ranks)
        self.rank, self.num_ranks = rank, num_ranks
        self.lengths = check_lengths(lengths)
        if layout.time_field is not None:
            raise LayoutError(f"{layout} looks at times, and a BatchSampler knows lengths only: use a drystone.Loader.")
        layout.check(self.lengths)
        self.layout = layout
        self.seed = check_seed("seed", seed)
        self._epoch = 0
        self._start = 0
        self._taken = 0
        self._pass: object = None
        self._plan: tuple[int, Plan] | None = None

    @property
    def epoch(self) -> int:
        """The epoch that the current or next pass lays out."""
        return self._epoch

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch of the next pass, which starts at its first batch; a loaded position in that epoch stays."""
        if check_seed("epoch", epoch) != self._epoch:
            self._move(epoch, 0)

    @property
    def plan(self) -> Plan:
        """The plan of the current epoch."""
        if self._plan is None or self._plan[0] != self._epoch:
            self._plan = self._epoch, self._planned(self._epoch)
        return self._plan[1]

    def __len__(self) -> int:
        """The batches of the current epoch, from its first one."""
        return self.plan.num_batches

    def __iter__(self) -> Iterator[Places]:
        # A DataLoader asks for passes that it never uses, so a pass begins when its first batch is taken.
        self._taken = self._start
        return self._places()

    def state_dict(self) -> dict[str, Any]:
        """Returns the position: the epoch, and how many of its batches the latest pass has given out."""
        return {**self._source, "epoch": self._epoch, "batches": self._taken}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Sets the position that the next pass starts from.

        Raises:
            DataError: the state is of other lengths, another layout, seed or version, or is damaged; the message
                says what differs, and the position stays as it was.
        """
        refuse_other(state, self._source)
        epoch = check_count(state, "epoch")
        self._move(epoch, check_batches(state, epoch, self._planned(epoch).num_batches))

    def _places(self) -> Iterator[Places]:
        self._pass = mark = object()
        plan, start = self.plan, self._start
        self._start = 0
        for batch in range(start, plan.num_batches):
            if mark is self._pass:
                self._taken = batch + 1
            yield Places.of(plan, batch)
        if mark is self._pass:
            self._move(self._epoch + 1, 0)

    def _move(self, epoch: int, batch: int) -> None:
        self._epoch = epoch
        self._start = self._taken = batch
        self._pass = None

    @cached_property
    def _source(self) -> dict[str, Any]:
        return source_of(fingerprint_of(self.lengths), self.layout, self.seed)

    def _planned(self, epoch: int) -> Plan:
        whole = self.layout.plan(self.lengths, self.seed, epoch)
        return whole.shard(self.rank, self.num_ranks) if self.num_ranks > 1 else whole
