"""Batches of a stream, window by window."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, final

from drystone.core.errors import DataError
from drystone.core.feed import Ended, Made, Settings
from drystone.core.position import check_count
from drystone.core.streams.filling import Filling
from drystone.core.streams.items import Schema
from drystone.core.streams.reading import Reading
from drystone.core.streams.source import Place, Source
from drystone.core.streams.stream import Stream
from drystone.core.streams.window import Window
from drystone.core.streams.window_plan import Rules, with_remainder


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Position:
    """A place in an epoch of a stream.

    Args:
        first: of the source, before the epoch's first item.
        window: the one of the last batch delivered; None before the first.
        batches: of this window, delivered.
    """

    first: Place
    window: Window | None = None
    batches: int = 0


@final
class StreamFeed:
    """Batches of the sequences of a stream."""

    def __init__(self, stream: Stream, settings: Settings) -> None:
        with_remainder(settings.layout, "drop")
        self._stream = stream
        self._settings = settings
        self._source = Source(stream)

    def fingerprint(self) -> Mapping[str, str]:
        """Of the stream's settings: its sequences are not known before they are read."""
        return self._stream.fingerprint

    def first(self) -> Position:
        """Returns the position before the first item."""
        return Position(first=self._source.beginning())

    def batches(self, epoch: int, start: Position) -> Iterator[Made[Position] | Ended]:
        """Yields batches; reads for the next window as the batches of this one go out, a share with each."""
        rules, buffer = self._rules(epoch), self._stream.buffer
        reading = self._reading(start)
        window = start.window or Filling(reading, None, 0, buffer).window(rules.layout)
        done = start.batches
        while True:
            laid = rules.lay(window)
            filling = Filling(reading, laid.left, window.index + 1, buffer)
            for number in range(done, len(laid.batches)):
                filling.read_share(number, len(laid.batches))
                position = Position(first=start.first, window=window, batches=number + 1)
                yield Made(batch=laid.batch(number, self._settings.fields), position=position)
            if window.place.is_end:
                break
            window, done = filling.window(rules.layout), 0
            if not len(window.held):
                break
        yield Ended(dropped=laid.dropped)

    def save(self, position: Position) -> dict[str, Any]:
        """Returns the buffer's sequences, and the states of the source there and at the epoch's start."""
        window = None if position.window is None else position.window.save()
        return {"first": position.first.save(), "window": window, "batches": position.batches}

    def load(self, state: Mapping[str, Any], epoch: int) -> tuple[Position, Position]:
        """Reads nothing of the source: the buffer is in the state."""
        first = Position(first=Place.load(state.get("first")))
        batches = check_count(state, "batches")
        if state.get("window") is None:
            return first, first
        window = Window.load(state.get("window"))
        num_batches = len(self._rules(epoch).lay(window).batches)
        if batches > num_batches:
            raise DataError(f"the saved position is batch {batches} of a window that has {num_batches}.")
        return first, replace(first, window=window, batches=batches)

    def _rules(self, epoch: int) -> Rules:
        return Rules(
            layout=self._settings.layout,
            seed=self._settings.seed,
            epoch=epoch,
            buffer=self._stream.buffer,
            longest_wait=self._stream.longest_wait,
        )

    def _reading(self, start: Position) -> Reading:
        if start.window is None:
            return Reading(self._source, start.first, None)
        return Reading(self._source, start.window.place, Schema.of(start.window.held.seqs))
