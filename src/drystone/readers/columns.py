"""Words in columns, as the shared tasks of CoNLL have them: a word and its tag a line, a blank line between sentences.

The format: https://www.clips.uantwerpen.be/conll2003/ner/
"""

from pathlib import Path

import numpy as np

from drystone.core import build
from drystone.core.errors import DataError
from drystone.core.lengths import offsets_of
from drystone.core.origin import Origin
from drystone.core.sequences import Sequences
from drystone.readers.keys import with_keys
from drystone.readers.options import Options
from drystone.readers.text import lines_of, text_of
from drystone.readers.words import as_strings

ENDINGS = (".conll", ".conll.gz", ".bio", ".bio.gz", ".iob", ".iob.gz")
BETWEEN_DOCUMENTS = b"-DOCSTART-"
WORD, TAG = "word", "tag"


def read_columns(path: Path, options: Options) -> Sequences:
    """Reads a sentence a sequence: `word` from the first column, `tag` from the last, and `column_2`, ... between.

    Columns lie between tabs if the first line has one, else between blanks. Words alone have no tags.

    Args:
        path: the file.
        options: with the encoding.

    Raises:
        DataError: a line has another number of columns than the first, or there is none.
    """
    rows: list[list[bytes]] = []
    numbers: list[int] = []
    lengths = [0]
    separator: bytes | None = None
    for number, line in enumerate(lines_of(text_of(path, options.encoding)), start=1):
        if not line.strip():
            lengths.append(0)
        elif not line.startswith(BETWEEN_DOCUMENTS):
            if not rows:
                separator = b"\t" if b"\t" in line else None
            rows.append(line.split(separator))
            _check_width(rows, number, path.name)
            numbers.append(number)
            lengths[-1] += 1
    if not rows:
        raise DataError(f"{path.name} holds no words.")
    columns = dict(zip(_names(len(rows[0])), map(as_strings, zip(*rows, strict=True)), strict=True))
    sizes = np.array([length for length in lengths if length])
    parts = build.parts_from_ragged(offsets_of(sizes), columns, {})
    origin = Origin(name=path.name, unit="line", one_step_a_row=True, order=np.array(numbers))
    return with_keys(Sequences.from_parts(parts, options.on_empty, origin=origin), options)


def _names(width: int) -> list[str]:
    between = [f"column_{number}" for number in range(2, width)]
    return [WORD, *between, TAG] if width > 1 else [WORD]


def _check_width(rows: list[list[bytes]], number: int, name: str) -> None:
    first, here = rows[0], rows[-1]
    if len(here) != len(first):
        raise DataError(
            f"line {number} of {name} has {len(here)} columns; expected {len(first)}, as in the first: "
            f"{', '.join(_names(len(first)))}. It reads: {b' '.join(here)[:80].decode(errors='replace')}"
        )
