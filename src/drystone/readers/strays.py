"""Columns that would hold numbers but for a few values, such as `-` where a sensor said nothing."""

import warnings

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core.arrow import is_text
from drystone.core.origin import Origin
from drystone.core.words import so_many

NUMBER = r"^\s*[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d+)?\s*$"
FIRST_LOOK = 1_000  # values that say whether a column is worth a second look
MOST_STRAYS = 0.1  # of the values
MOST_KINDS = 3  # of strays: more are codes such as 12a


def warn_of_strays(table: pa.Table, origin: Origin) -> None:
    """Warns of each column of text that a few values, of few kinds, keep from being numbers; the first is named."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        if is_text(column.type) and _is_mostly_numbers(column.slice(0, FIRST_LOOK)):
            _warn(name, column, origin)


def _is_mostly_numbers(column: pa.ChunkedArray) -> bool:
    share = pc.mean(pc.match_substring_regex(column, NUMBER)).as_py()
    return share is not None and share >= 1 - 2 * MOST_STRAYS


def _warn(name: str, column: pa.ChunkedArray, origin: Origin) -> None:
    is_stray = pc.fill_null(pc.invert(pc.match_substring_regex(column, NUMBER)), False)
    strays = column.filter(is_stray)
    if not 0 < len(strays) <= MOST_STRAYS * len(column) or len(strays.unique()) > MOST_KINDS:
        return
    row = int(np.argmax(np.asarray(is_stray)))
    kinds = ", ".join(repr(value) for value in strays.unique().to_pylist())
    count = so_many(len(strays), "value")
    warnings.warn(
        f"column {name!r} is text: {count} of {len(column):,} {'is' if len(strays) == 1 else 'are'} no "
        f"number{'' if len(strays) == 1 else 's'} ({kinds}), the first in {origin.where(row, row) or f'row {row}'}. Leave "
        f"what is missing empty, and the column holds numbers.",
        stacklevel=2,
    )
