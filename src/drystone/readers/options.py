"""What the caller says about the columns of a source, and the checks that need no more than names."""

import codecs
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from drystone.core.build import OnEmpty
from drystone.core.errors import DataError

Duplicates = Literal["first", "mean", "error"]
Documents = Literal["file", "lines"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The choices of one call of `read`.

    Args:
        sequence_id: the column that tells sequences apart.
        order_by: the column that orders the steps of a sequence.
        per_sequence: columns that hold one value a sequence, repeated at each of its steps.
        on_empty: what happens to sequences of 0 steps.
        duplicates: what happens to steps of one sequence at the same time; None keeps them, with a warning.
        text: the column of documents, or what the field of a plain text file is called.
        documents: what a document is in plain text files: a whole file, or each of its lines; None for "file".
        encoding: of text files; None for UTF-8.
    """

    sequence_id: str | None = None
    order_by: str | None = None
    per_sequence: tuple[str, ...] = ()
    on_empty: OnEmpty = "error"
    duplicates: Duplicates | None = None
    text: str | None = None
    documents: Documents | None = None
    encoding: str | None = None

    def __post_init__(self) -> None:
        if self.on_empty not in ("error", "drop"):
            raise DataError(f'on_empty must be "error" or "drop"; got {self.on_empty!r}.')
        if self.duplicates not in (None, *get_args(Duplicates)):
            raise DataError(f'duplicates must be "first", "mean" or "error"; got {self.duplicates!r}.')
        if self.documents not in (None, *get_args(Documents)):
            raise DataError(f'documents must be "file" or "lines"; got {self.documents!r}.')
        if self.encoding is not None:
            check_encoding(self.encoding)
        keys = (self.sequence_id, self.order_by, self.text, *self.per_sequence)
        named = [name for name in keys if name is not None]
        twice = [name for name in named if named.count(name) > 1]
        if twice:
            raise DataError(
                f"column {twice[0]!r} is named twice in sequence_id=, order_by=, text= and per_sequence=; "
                f"a column can have one role only."
            )

    def check_names(self, names: Sequence[str]) -> None:
        """Raises DataError at the first column named in the options that is not among these."""
        check_name(self.sequence_id, names, "sequence_id")
        check_name(self.order_by, names, "order_by")
        check_name(self.text, names, "text")
        for name in self.per_sequence:
            check_name(name, names, "per_sequence")


def check_name(name: str | None, names: Sequence[str], option: str) -> None:
    """Raises DataError if the name is given and is not among the names of the columns."""
    if name is None or name in names:
        return
    near = did_you_mean(name, names)
    raise DataError(f"{option} is {name!r}, which is not a column.{near} The columns are: {', '.join(names)}.")


def check_encoding(encoding: str) -> None:
    """Raises DataError if there is no encoding of this name."""
    try:
        codecs.lookup(encoding)
    except (LookupError, ValueError):
        raise DataError(
            f"encoding is {encoding!r}, which names none; there are utf-8, latin-1, cp1252, utf-16 and many more."
        ) from None


def did_you_mean(word: str, words: Sequence[str]) -> str:
    """Returns " Did you mean '…'?" with the nearest of the words, or "" where none is near."""
    near = difflib.get_close_matches(word, words, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
