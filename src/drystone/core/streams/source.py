"""The source of a stream, epoch after epoch, and how far it was read."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import Any, Self, cast, final

from drystone.core.errors import DataError
from drystone.core.position import check_count
from drystone.core.streams.stream import Stream


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
        self._gives_once = hasattr(source, "__next__") and not has_state(source)
        self._source = source
        self._is_used_up = False

    def beginning(self) -> Place:
        """Returns the place before the first item of the epoch that begins now."""
        return Place() if self._is_function else Place(state=state_of(self._source))

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


def has_state(opened: Any) -> bool:
    """Whether what is iterated can tell and set its position."""
    return hasattr(opened, "state_dict") and hasattr(opened, "load_state_dict")


def state_of(opened: Any) -> Any:
    """Returns a copy of its position, or None where it can tell none."""
    return deepcopy(opened.state_dict()) if has_state(opened) else None
