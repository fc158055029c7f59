"""What came in since the states were last saved, so that a crash loses none of it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from drystone.core.errors import DataError
from drystone.core.storage import whole_file
from drystone.train.checkpoint.files import sync


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Lines that ran together, and when, in seconds since 1970."""

    time: float
    lines: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What a journal follows on: the checksum of the saved states ("" for none), and the fingerprint of their model."""

    states: str
    model: str


class Journal:
    """A file of entries that follow on saved states.

    Args:
        path: of the file; what is in it is replaced.
        base: what it follows on.
    """

    def __init__(self, path: Path, base: Base) -> None:
        with whole_file(path) as partial:
            partial.write_bytes(json.dumps(asdict(base)).encode() + b"\n")
            sync(partial)
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


def base_of(path: Path) -> Base:
    """Returns what a journal follows on.

    Raises:
        DataError: its first line is damaged.
    """
    with path.open("rb") as file:
        line = file.readline()
    try:
        return Base(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise _damaged(path, 1, error) from None


def entries_of(path: Path) -> Iterator[Entry]:
    """Yields the entries of a journal. The last one may be half-written; it ends the journal.

    Raises:
        DataError: another one is damaged.
    """
    with path.open("rb") as file:
        file.readline()
        for number, line in enumerate(file, start=2):
            if not line.endswith(b"\n"):
                return
            try:
                content = json.loads(line)
                entry = Entry(time=content["time"], lines=[text.encode() for text in content["lines"]])
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise _damaged(path, number, error) from None
            yield entry


def _damaged(path: Path, line: int, error: Exception) -> DataError:
    return DataError(
        f"{path} is damaged in line {line}: {error!r}. It holds what came after the states were saved: remove it to go on "
        f"without that."
    )
