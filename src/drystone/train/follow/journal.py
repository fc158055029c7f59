"""What came in since the states were last saved, so that a crash loses none of it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from drystone.core.errors import DataError
from drystone.core.storage import whole_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Lines that ran together, and when, in seconds since 1970."""

    time: float
    lines: Sequence[bytes]


class Journal:
    """A file of entries that follow on a saved state.

    Args:
        path: of the file; what is in it is replaced.
        follows: the checksum of the saved state; "" for none.
    """

    def __init__(self, path: Path, follows: str) -> None:
        with whole_file(path) as partial:
            partial.write_text(json.dumps({"follows": follows}) + "\n", encoding="utf-8")
        self._file = path.open("ab")
        self.num_entries = 0

    def add(self, entry: Entry) -> None:
        """Hands an entry to the system, which keeps it even if this process is killed now."""
        content = {"time": entry.time, "lines": [line.decode("utf-8") for line in entry.lines]}
        self._file.write(json.dumps(content).encode() + b"\n")
        self._file.flush()
        self.num_entries += 1

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()


def entries_of(path: Path, follows: str) -> Iterator[Entry]:
    """Yields the entries of a journal that follow on a saved state; none if it follows on another.

    The last one may be half-written; it ends the journal.

    Raises:
        DataError: another one is damaged.
    """
    if not path.is_file():
        return
    with path.open("rb") as file:
        if not _is_header(file.readline(), follows):
            return
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                content = json.loads(line)
                entry = Entry(time=content["time"], lines=[text.encode() for text in content["lines"]])
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise DataError(
                    f"{path} is damaged at entry {number}: {error!r}. Remove it to go on from the state that was saved "
                    f"before it, or remove both to begin anew."
                ) from None
            yield entry


def _is_header(line: bytes, follows: str) -> bool:
    try:
        return json.loads(line)["follows"] == follows
    except (ValueError, KeyError, TypeError):
        return False
