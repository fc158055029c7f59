"""Gathering the next window of a stream, a share at a time."""

from typing import final

import numpy as np

from drystone.core.build import Parts
from drystone.core.errors import DataError
from drystone.core.grid import Ints
from drystone.core.layouts.base import Layout
from drystone.core.layouts.placement import NO_INTS
from drystone.core.sequences import Sequences
from drystone.core.streams.items import Schema, parts_of
from drystone.core.streams.reading import Reading
from drystone.core.streams.window import Held, Window


@final
class Filling:
    """The sequences that are left of one window, and those read for the next.

    Args:
        reading: the source.
        left: sequences that go on; None before the first window.
        index: of the window to fill.
        buffer: sequences to gather.
    """

    def __init__(self, reading: Reading, left: Held | None, index: int, buffer: int) -> None:
        self._reading = reading
        self._left = left
        self._index = index
        self._room = buffer if left is None else buffer - len(left)
        self._new: list[Parts] = []
        self._num_new = 0
        self._error: Exception | None = None

    def read_share(self, number: int, num_shares: int) -> None:
        """Reads until this share of the room is full; an error is kept for `window`, where it belongs."""
        try:
            self._read(self._room * number // num_shares)
        except Exception as error:  # noqa: BLE001  raised by `window`
            self._error = error

    def window(self, layout: Layout) -> Window:
        """Reads until the room is full, or the source is at its end, and returns the window.

        Raises:
            DataError: the source gave no sequences at all.
            LayoutError: a sequence that the layout cannot hold; the message names it.
        """
        if self._error is not None:
            raise self._error
        self._read(self._room)
        place = self._reading.place()
        schema = self._reading.schema
        if schema is None or not place.sequences:
            raise DataError(
                "the source gave no sequences. An iterator gives its items only once: pass a function "
                "that returns a fresh one for each epoch."
            )
        new = schema.joined(self._new)
        numbers = np.arange(place.sequences - self._num_new, place.sequences)
        if self._num_new:
            layout.check(new.lengths, numbers)
        return Window(index=self._index, held=self._with_left(schema, new, numbers), place=place)

    def _with_left(self, schema: Schema, new: Sequences, numbers: Ints) -> Held:
        left = self._left
        if left is None:
            return Held(seqs=new, numbers=numbers, offsets=np.zeros_like(numbers), rows=NO_INTS)
        return Held(
            seqs=schema.joined([parts_of(left.seqs, None), parts_of(new, None)]),
            numbers=np.concatenate([left.numbers, numbers]),
            offsets=np.concatenate([left.offsets, np.zeros_like(numbers)]),
            rows=left.rows,
        )

    def _read(self, upto: int) -> None:
        while self._error is None and self._num_new < upto and (item := self._reading.next()) is not None:
            self._new.append(item)
            self._num_new += len(item.lengths)
