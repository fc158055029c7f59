"""Reading a source on from a place in it: by its own state, or by reading again and skipping."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from logging import getLogger
from typing import Any, Self, cast, final
from zlib import crc32

from drystone.core.build import Parts
from drystone.core.errors import DataError
from drystone.core.position import check_count
from drystone.core.streams.items import Schema, parts_of
from drystone.core.streams.stream import Stream

logger = getLogger("drystone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a source was read.

    Args:
        items: read so far in this epoch.
        sequences: in these items.
        checksum: of the lengths of these sequences.
        is_end: whether the source has given its last item.
        state: the source's own, or None where it has none or was not begun.
    """

    items: int = 0
    sequences: int = 0
    checksum: int = 0
    is_end: bool = False
    state: Any = None

    def save(self) -> dict[str, Any]:
        """Returns plain data of its own."""
        return asdict(self)

    @classmethod
    def load(cls, saved: Any) -> Self:
        """Checks what `save` returned.

        Raises:
            DataError: the data is damaged.
        """
        if not isinstance(saved, Mapping):
            raise DataError(f"the saved position is damaged: it has {saved!r} where it should say how far it had read.")
        place = cast("Mapping[str, Any]", saved)
        counts = {name: check_count(place, name) for name in ("items", "sequences", "checksum")}
        return cls(**counts, is_end=bool(place.get("is_end")), state=deepcopy(place.get("state")))


@final
class Source:
    """The source of a stream, epoch after epoch."""

    def __init__(self, stream: Stream) -> None:
        self.per_step = stream.per_step
        source: Any = stream.source
        self._is_function = not isinstance(source, Iterable)
        self._gives_once = hasattr(source, "__next__") and not _has_state(source)
        self._source = source
        self._is_used_up = False

    def beginning(self) -> Place:
        """Returns the place before the first item of the epoch that begins now."""
        return Place() if self._is_function else Place(state=_state_of(self._source))

    def opened(self) -> Any:
        """Returns what is to be iterated.

        Raises:
            DataError: the source is an iterator without a state, and was iterated before.
        """
        if self._is_function:
            return self._source()
        if self._gives_once and self._is_used_up:
            raise DataError(
                "the source is an iterator, which gives its items only once. Pass a function that returns "
                "a fresh one for each epoch, such as the generator function itself."
            )
        self._is_used_up = True
        return self._source


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
            state=_state_of(self._opened),
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
        if not _has_state(self._opened):
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


def _has_state(opened: Any) -> bool:
    return hasattr(opened, "state_dict") and hasattr(opened, "load_state_dict")


def _state_of(opened: Any) -> Any:
    return deepcopy(opened.state_dict()) if _has_state(opened) else None
