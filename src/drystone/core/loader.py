"""The loader: an epoch of batches a pass, read ahead, resumable at any batch."""

import weakref
from collections.abc import Callable, Collection
from typing import Any, cast, final

import pyarrow as pa

from drystone.core.batch import Batch
from drystone.core.errors import DataError, DrystoneError, StreamError
from drystone.core.feed import Ended, Feed, Made, SequencesFeed, Settings
from drystone.core.layouts.arguments import check_positive
from drystone.core.layouts.base import Layout
from drystone.core.passes import Pass
from drystone.core.plan import Plan
from drystone.core.position import check_count, refuse_other, source_of
from drystone.core.read_ahead import ReadAhead
from drystone.core.sequences import Sequences
from drystone.core.shares import check_rank
from drystone.core.shuffle import check_seed
from drystone.core.streams import Stream
from drystone.core.streams.feed import StreamFeed


@final
class Loader:
    """Batches of sequences, laid out anew each epoch.

    One pass is one epoch, and only a finished pass moves on to the next. A pass starts at the first batch of
    `epoch`, or at the position that `load_state_dict` set. Reading ahead changes neither order nor state, and an
    error while reading ahead is raised at the batch that it belongs to.

    Args:
        seqs: the sequences, or a `Stream` of them.
        layout: how they are laid out.
        seed: of the random orders, 0 … 2⁶⁴ − 1.
        fields: the fields that batches hold; all by default.
        read_ahead: batches made ahead; 0 makes each when it is asked for.
        in_background: whether a thread makes them while one is in use. Else so many are made together whenever none
            is left, which takes less from a CPU that is busy training.
        rank, num_ranks: which process of how many this is: it gets its share of the rows of every batch, as
            `Plan.shard` deals them out. All ranks have as many batches; one without a row gets a row of padding.

    Raises:
        DataError: what comes is no sequences or no layout, or there is no such field.
        PlanError: there is no such rank.
        StreamError: a stream that several ranks are to share.

    Example:
        >>> from drystone import Padded
        >>> seqs = Sequences.from_arrays(per_step={"x": [[1, 2, 3], [4], [5, 6]]})
        >>> loader = Loader(seqs, Padded(batch_size=2, order="given"))
        >>> [batch["x"].tolist() for batch in loader], loader.epoch
        ([[[1, 2, 3], [4, 0, 0]], [[5, 6]]], 1)
        >>> [batch["x"].tolist() for batch in Loader(seqs, loader.layout, rank=1, num_ranks=2)]
        [[[4, 0, 0]], [[0, 0]]]
    """

    def __init__(
        self,
        seqs: Sequences | Stream,
        layout: Layout,
        seed: int = 0,
        *,
        fields: Collection[str] | None = None,
        read_ahead: int = 2,
        in_background: bool = True,
        rank: int = 0,
        num_ranks: int = 1,
    ) -> None:
        _check_kinds(seqs, layout)
        check_rank("Loader", rank, num_ranks)
        if read_ahead:
            check_positive("Loader", read_ahead=read_ahead)
        self._given = seqs
        self.layout = layout
        self.seed = check_seed("seed", seed)
        self._read_ahead = read_ahead
        self._in_background = in_background
        self._epoch = 0
        self.rank, self.num_ranks = rank, num_ranks
        self._fields = (fields,) if isinstance(fields, str) else fields
        settings = Settings(layout=layout, seed=self.seed, fields=self._fields, rank=rank, num_ranks=num_ranks)
        self._whole = None if isinstance(seqs, Stream) else SequencesFeed(seqs, settings)
        self._feed: Feed[Any] = self._whole or StreamFeed(cast("Stream", seqs), settings)
        self._first = self._start = self._position = self._feed.first()
        self._dropped: pa.Table | None = None
        self._pass: weakref.ref[Pass] | None = None
        self._wait_for_reader: Callable[[], None] | None = None
        if num_ranks > 1:
            self._over_sequences("rows to share out to ranks")

    def __repr__(self) -> str:
        data = self._feed.fingerprint()["is"]
        share = f", rank={self.rank} of {self.num_ranks}" if self.num_ranks > 1 else ""
        return f"Loader({data}, {self.layout}, seed={self.seed}, epoch={self.epoch}{share})"

    @property
    def seqs(self) -> Sequences:
        """The sequences; a stream holds only a few of them at a time, and raises StreamError."""
        return self._over_sequences("sequences to look at").seqs

    @property
    def epoch(self) -> int:
        """The epoch that the current or next pass delivers; setting it sets the position to its first batch."""
        return self._epoch

    @epoch.setter
    def epoch(self, value: int) -> None:
        self._refuse_live_pass()
        self._epoch = check_seed("epoch", value)
        self._start = self._position = self._first

    @property
    def plan(self) -> Plan:
        """The plan of the current epoch, of this rank's rows; a stream, planned by windows, raises StreamError."""
        return self._over_sequences("plan of a whole epoch").plan(self._epoch)

    @property
    def dropped(self) -> pa.Table | None:
        """What the last finished pass left out: sequence, offset, length, reason; None before one is finished."""
        return self._dropped

    def __len__(self) -> int:
        """The batches of the current epoch, from its first one; a stream raises StreamError, a TypeError."""
        return self._over_sequences("known number of batches").plan(self._epoch).num_batches

    def __iter__(self) -> Pass:
        self._refuse_live_pass()
        if self._wait_for_reader is not None:
            self._wait_for_reader()
        self._position, self._start = self._start, self._first
        made = self._feed.batches(self._epoch, self._position)
        queue = ReadAhead(made, self._read_ahead, in_background=self._in_background)
        new = Pass(queue, self._delivered, self._finished)
        self._pass, self._wait_for_reader = weakref.ref(new), queue.wait
        return new

    def batch(self, number: int) -> Batch:
        """Returns a batch of the current epoch by its number, counted from 0; the position stays.

        Raises:
            IndexError: there is no such batch.
            StreamError: a stream, whose batches come one after the other only.
        """
        return self._over_sequences("batch to pick out").batch(self._epoch, number)

    def share(self, rank: int, num_ranks: int) -> "Loader":
        """Returns the loader of another rank, or of the whole (0, 1): all else and the position are those of this one.

        Raises:
            PlanError: there is no such rank.
            StreamError: a stream that several ranks are to share.

        Example:
            >>> from drystone import Padded
            >>> loader = Loader(Sequences.from_arrays({"x": [[1, 2], [3, 4]]}), Padded(2, order="given"))
            >>> [batch["x"].tolist() for batch in loader.share(1, 2)]
            [[[3, 4]]]
        """
        share = Loader(
            self._given,
            self.layout,
            self.seed,
            fields=self._fields,
            read_ahead=self._read_ahead,
            in_background=self._in_background,
            rank=rank,
            num_ranks=num_ranks,
        )
        share.load_state_dict(self.state_dict())
        return share

    def state_dict(self) -> dict[str, Any]:
        """Returns the position, after the last batch delivered (not: read ahead); later progress doesn't change it.

        It counts batches, of which all ranks have as many, so that it serves any rank of any number of them.
        Over sequences it is small and fit for JSON. Over a stream it holds the sequences of the buffer, as the
        bytes of an Arrow table, and the state of the source.
        """
        return self._source() | {"epoch": self._epoch} | self._feed.save(self._position)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Sets the position that the next pass starts from; reads no data.

        Raises:
            DataError: the state is of other data, another layout, seed or version, or is damaged; the message
                says what differs, and the position stays as it was.
        """
        self._refuse_live_pass()
        refuse_other(state, self._source())
        epoch = check_count(state, "epoch")
        self._first, self._start = self._feed.load(state, epoch)
        self._epoch, self._position = epoch, self._start

    def _source(self) -> dict[str, Any]:
        return source_of(self._feed.fingerprint(), self.layout, self.seed)

    def _over_sequences(self, what: str) -> SequencesFeed:
        if self._whole is not None:
            return self._whole
        raise StreamError(f"a loader over a Stream has no {what}: the stream's end is not known before it is read.")

    def _refuse_live_pass(self) -> None:
        live = self._pass() if self._pass is not None else None
        if live is not None and not live.is_over:
            raise DrystoneError(
                "a pass over this loader is still going on; finish or close() it first, "
                "or make a second Loader for a second pass."
            )

    def _delivered(self, made: Made[Any]) -> None:
        self._position = made.position

    def _finished(self, end: Ended) -> None:
        self._epoch += 1
        self._dropped = end.dropped
        self._first = self._start = self._position = self._feed.first()


def _check_kinds(seqs: object, layout: object) -> None:
    if not isinstance(seqs, (Sequences, Stream)):
        raise DataError(
            f"Loader: seqs must be Sequences or a Stream; got {type(seqs).__name__}. "
            f"Make them with Sequences.from_arrays or drystone.read; lengths alone hold no values."
        )
    if not isinstance(layout, Layout):
        got = f"the class {layout.__name__}" if isinstance(layout, type) else type(layout).__name__
        raise DataError(f"Loader: layout must be a layout such as Padded(32); got {got}.")
