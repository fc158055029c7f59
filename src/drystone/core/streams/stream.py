"""A stream: sequences that come from a source one after the other, too many to hold."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from operator import index
from typing import Any, final

from drystone.core.errors import DataError
from drystone.core.layouts.arguments import check_positive


@final
@dataclass(frozen=True, slots=True, kw_only=False, eq=False)
class Stream:
    """Sequences from a source of unknown length, for `Loader(stream, layout, seed)`.

    The loader fills a buffer, lays what it holds by the layout, and delivers the batches that are complete: those
    that `remainder="drop"` keeps. Sequences of incomplete batches stay in the buffer, ahead of new ones. After the
    end of the source the rest is laid by the layout's own `remainder`. Sequences that are under way on a row
    (Stateful, and Packed with `long="stateful"`) go on there, and all batches have all rows. Each such window has random orders of its
    own: window w of epoch e is planned as epoch e + w × 2³², so a source that fits into the buffer gives the same
    batches as a loader over its sequences.

    In batches, a sequence is numbered by its place in the source in this epoch: 0, 1, 2, ...

    Memory: a window holds at most `buffer` sequences and one item of the source, and so does a saved position. While
    its batches are used, the next window is read, a share with each batch: so at most 2 × (`buffer` + one item), and
    the batches read ahead.

    A saved position holds the source's own state, if it has one. Else the source is read again from its start
    when the position is continued, and what was read before is skipped: a line of the log says so
    (logger "drystone"), and other sequences than before are an error. An error of the source, or of an item, is raised
    after the last batch of the window before; continuing from there reads the item again. Leaving a pass, as by
    Ctrl-C, doesn't wait for the item that is being read; the end of the process does.

    Args:
        source: what gives the items: a function that returns a fresh iterator for each epoch (a generator function),
            or an iterable, iterated anew for each epoch. What is iterated may have `state_dict()` and
            `load_state_dict(state)`, which tell and set its position.
            An item is an example, a dict of fields, or `Sequences`, such as a record batch of a
            Parquet file. All items have the same fields, types and shapes.
        buffer: sequences to gather before batches are laid, ≥ 1. It is exceeded by less than one item. More
            gives better batches, and an order nearer to a random one.
        longest_wait: sequences read after a sequence, ≥ 1, before it is delivered in an incomplete batch, checked at
            each window: so rare lengths don't wait for the end. None for no limit. Where sequences
            that wait fill the buffer, the oldest is delivered likewise.
        per_step: of examples, the fields with a value a step. By default these are the fields that are arrays or
            lists in the first example.

    Raises:
        DataError: a source that gives nothing to iterate over.
        LayoutError: `buffer` or `longest_wait` is not a whole number of at least 1.

    Example:
        >>> import drystone as ds
        >>> def source():
        ...     for length in (3, 1, 2, 2, 1):
        ...         yield {"x": [1.0] * length, "y": length}
        >>> loader = ds.Loader(Stream(source, buffer=3), ds.Padded(batch_size=2, order="given"))
        >>> [batch.ends.sequence.tolist() for batch in loader]
        [[0, 1], [2, 3], [4]]
    """

    source: Iterable[Any] | Callable[[], Iterable[Any]]
    buffer: int = 2048
    longest_wait: int | None = 32_768
    per_step: Collection[str] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.source, (str, bytes)) or not (isinstance(self.source, Iterable) or callable(self.source)):
            raise DataError(
                f"Stream: source must be a function that returns an iterator, or something to iterate over; "
                f"got {self.source!r}. Open files first, such as with pyarrow.dataset."
            )
        check_positive("Stream", buffer=self.buffer)
        object.__setattr__(self, "buffer", index(self.buffer))
        if self.longest_wait is not None:
            check_positive("Stream", longest_wait=self.longest_wait)
            object.__setattr__(self, "longest_wait", index(self.longest_wait))
        if isinstance(self.per_step, str):
            object.__setattr__(self, "per_step", (self.per_step,))

    @property
    def fingerprint(self) -> dict[str, str]:
        """What a saved position depends on."""
        return {"is": f"a Stream(buffer={self.buffer}, longest_wait={self.longest_wait})"}
