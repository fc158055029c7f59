"""Reading a source on from a place in it: by its own state, or by reading again and skipping."""

from copy import deepcopy
from logging import getLogger
from typing import Any, final
from zlib import crc32

from drystone.core.build import Parts
from drystone.core.errors import DataError
from drystone.core.streams.items import Schema, parts_of
from drystone.core.streams.source import Place, Source, has_state, state_of

logger = getLogger("drystone")


@final
class Reading:
    """A source, read on from a place.

    Args:
        source: the source.
        place: where to go on.
        schema: the fields of its items; None finds them in the first.
    """

    def __init__(self, source: Source, place: Place, schema: Schema | None) -> None:
        self.schema = schema
        self._per_step = source.per_step
        self._is_end = place.is_end
        self._items, self._sequences, self._checksum = 0, 0, 0
        self._opened: Any = None if place.is_end and place.state is None else source.opened()
        if place.state is not None:
            self._restore(place)
        self._iterator = None if place.is_end else iter(self._opened)
        if place.state is None and place.items and not place.is_end:
            self._replay(place)

    @property
    def is_end(self) -> bool:
        return self._is_end

    def place(self) -> Place:
        """Returns where the source is now, with a copy of its state."""
        return Place(
            items=self._items,
            sequences=self._sequences,
            checksum=self._checksum,
            is_end=self._is_end,
            state=state_of(self._opened),
        )

    def next(self) -> Parts | None:
        """Returns the next item, or None after the last.

        Raises:
            DataError: an item that does not fit the first; the message names it and the field.
        """
        if self._iterator is None:
            return None
        item = next(self._iterator, self)
        if item is self:
            self._is_end, self._iterator = True, None
            return None
        parts = self._checked(item)
        self._items += 1
        self._sequences += len(parts.lengths)
        self._checksum = crc32(parts.lengths.tobytes(), self._checksum)
        return parts

    def _checked(self, item: Any) -> Parts:
        try:
            parts = parts_of(item, self._names_of_steps())
            if self.schema is None:
                self.schema = Schema.of_parts(parts)
            self.schema.check(parts)
        except DataError as error:
            raise DataError(f"item {self._items} of the source (from 0): {error}") from error
        return parts

    def _names_of_steps(self) -> Any:
        return self._per_step if self.schema is None else tuple(self.schema.step_columns)

    def _restore(self, place: Place) -> None:
        if not has_state(self._opened):
            raise DataError(
                "the saved position holds a state of its source, and this source has no load_state_dict(). "
                "Pass the source that the position was saved with."
            )
        self._opened.load_state_dict(deepcopy(place.state))
        self._items, self._sequences, self._checksum = place.items, place.sequences, place.checksum

    def _replay(self, place: Place) -> None:
        logger.warning(
            "the source has no state_dict() and load_state_dict(): its first %s items are read again and skipped",
            f"{place.items:,}",
        )
        while self._items < place.items and self.next() is not None:
            pass
        if (self._items, self._checksum) != (place.items, place.checksum):
            raise DataError(
                f"the source is not the one that the position was saved with: its first {place.items:,} items held "
                f"{place.sequences:,} sequences, and now {self._items:,} items hold {self._sequences:,}, "
                f"or their lengths differ. Pass a source that gives the same items in the same order."
            )
