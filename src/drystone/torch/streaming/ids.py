"""The ids of a call: which streams there are, and to which of them each row belongs."""

from collections.abc import Hashable
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drystone.core.errors import DataError, StreamInputError
from drystone.torch.streaming.slots import Slots

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ids:
    """The streams of one call.

    Args:
        streams: the id of each stream once, in the order in which they first came.
        stream: of each row, the number of its stream among them; None where every row is a stream of its own.
    """

    streams: list[str]
    stream: Ints | None

    @property
    def num_rows(self) -> int:
        """How many ids came, each as often as it came."""
        return len(self.streams) if self.stream is None else len(self.stream)

    def of_row(self, row: int) -> str:
        """Returns the id of a row."""
        return self.streams[row if self.stream is None else self.stream[row]]


class IdReader:
    """Reads ids, and remembers the last ones: most callers send the same again."""

    def __init__(self) -> None:
        self._raw: Any = None
        self._last: Ids | None = None

    def read(self, raw: Any, slots: Slots) -> Ids:
        """Returns the streams of a column of ids; the same object where the ids are those of the last call.

        Args:
            raw: texts, as a list, a NumPy or Arrow array, or any column that NumPy takes.
            slots: ids that are held were found right when they came first.

        Raises:
            StreamInputError: an id that is missing, empty or not text.
            DataError: no column of ids.
        """
        if self._last is not None and _are_equal(raw, self._raw):
            return self._last
        rows = listed(raw)
        found = Ids(streams=rows, stream=None) if slots.are_held_once(rows) else ids_of(rows)
        self._raw, self._last = _kept(raw), found
        return found


def listed(raw: Any) -> list[Any]:
    """Returns a column of ids as a list.

    Raises:
        DataError: it is no column.
    """
    if isinstance(raw, (str, bytes)) or not hasattr(raw, "__len__"):
        raise DataError(f"ids is {raw!r}; pass a list or an array of texts, one a row of values.")
    if isinstance(raw, (list, tuple)):
        return list(raw)
    if isinstance(raw, pa.Array | pa.ChunkedArray):
        return raw.to_pylist()
    array = np.asarray(raw)
    if array.ndim != 1:
        raise DataError(f"ids has shape {array.shape}; pass one id a row of values.")
    return array.tolist()


def ids_of(rows: list[Any]) -> Ids:
    """Returns the streams of a list of ids.

    Raises:
        StreamInputError: an id that is missing, empty or not text.
    """
    are_texts = all(issubclass(kind, str) for kind in set(map(type, rows)))
    number = dict.fromkeys(rows) if are_texts else {}
    if not are_texts or "" in number:
        raise StreamInputError(_reasons(rows), num_streams=len(rows))
    if len(number) == len(rows):
        return Ids(streams=rows, stream=None)
    number = {name: at for at, name in enumerate(number)}
    return Ids(streams=list(number), stream=np.fromiter(map(number.__getitem__, rows), np.int64, len(rows)))


def _reasons(rows: list[Any]) -> dict[Any, str]:
    found = ((name, f"{wrong} (row {row})") for row, name in enumerate(rows) if (wrong := _wrong(name)))
    return {name if isinstance(name, Hashable) else repr(name): reason for name, reason in found}


def _wrong(name: Any) -> str | None:
    if isinstance(name, str):
        return None if name else "the id is empty"
    if name is None or (isinstance(name, float) and isnan(name)):  # tables write a missing text so
        return "the id is missing"
    return f"the id is of type {type(name).__name__}, not text"


def _are_equal(raw: Any, kept: Any) -> bool:
    """Whether two columns hold the same; another order is mostly seen in the first id."""
    if type(raw) is not type(kept) or len(raw) != len(kept):
        return False
    try:
        if raw[0] != kept[0]:
            return False
        if isinstance(raw, np.ndarray):
            return raw.dtype == kept.dtype and np.array_equal(raw, kept)
        if isinstance(raw, pa.Array | pa.ChunkedArray):
            return raw.equals(kept)
        return isinstance(raw, (list, tuple)) and raw == kept
    except (TypeError, ValueError, LookupError):  # what is no column of texts may not be comparable; reading it says so
        return False


def _kept(raw: Any) -> Any:
    """What the caller may change later is copied."""
    return raw.copy() if isinstance(raw, (np.ndarray, list)) else raw
