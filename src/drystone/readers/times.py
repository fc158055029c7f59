"""Columns of times that do not say what their user means: text that is no time, and times that fall."""

import warnings

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core.arrow import is_text
from drystone.core.errors import DataError
from drystone.core.origin import Origin
from drystone.readers.order import Positions, falls

MONTH_AND_DAY = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|[12]\d))"
)
TIME_OF_DAY = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?"
ISO = rf"^\s*\d{{4}}-{MONTH_AND_DAY}(?:[ T]{TIME_OF_DAY}(?P<zone>Z|[+-]\d{{2}}:?(?:\d{{2}})?)?)?\s*$"
LIKE_A_DATE = r"^\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T,].*)?$"


def check_text(column: pa.ChunkedArray, name: str, origin: Origin) -> None:
    """Refuses to sort texts as texts where they are meant as times.

    Args:
        column: what orders the steps.
        name: of the column.
        origin: the file behind it.

    Raises:
        DataError: most texts are dates, and not all are ISO times of one zone; the first that is not is named.
    """
    if not is_text(column.type) or 2 * pc.sum(pc.match_substring_regex(column, LIKE_A_DATE)).as_py() <= len(column):
        return
    is_iso = np.asarray(pc.match_substring_regex(column, ISO))
    if not is_iso.all():
        row = int(np.argmin(is_iso))
        raise DataError(
            f"column {name!r} holds times, but {column[row].as_py()!r} ({_where(origin, row)}) is none of the form "
            f"2024-03-05 or 2024-03-05 14:30:00. Write all of them so: as text they would be sorted letter by letter."
        )
    zones = pc.struct_field(pc.extract_regex(column, ISO), "zone")
    is_other = np.asarray(pc.not_equal(zones, zones[0]))
    if is_other.any():
        row = int(np.argmax(is_other))
        raise DataError(
            f"column {name!r} holds times of several zones: {column[0].as_py()!r} ({_where(origin, 0)}) and "
            f"{column[row].as_py()!r} ({_where(origin, row)}). Write all of them in one zone, or make them timestamps."
        )


def warn_of_falling(table: pa.Table, codes: Positions, order: Positions | None, origin: Origin) -> None:
    """Warns where nothing orders the steps, and the only column of timestamps falls within a sequence.

    Args:
        table: one step a row.
        codes: [rows] the number of each row's sequence.
        order: the order that groups the rows, or None where they lie so already.
        origin: the file behind the table.
    """
    timed = [field.name for field in table.schema if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type)]
    if len(timed) != 1:
        return
    late = falls(table[timed[0]], codes, order)
    if len(late):
        row = int(late.min())
        warnings.warn(
            f"the steps stay in the order of the rows, though {timed[0]!r} falls at {len(late)} of {len(table)} rows, "
            f"first at {table[timed[0]][row]} ({_where(origin, row)}). If it says the order of the steps, pass "
            f"order_by={timed[0]!r} (--order-by {timed[0]}).",
            stacklevel=2,
        )


def late_rows_in_words(late: Positions, num_rows: int, name: str, origin: Origin) -> str:
    """Returns a sentence on rows that stood too late in a file, and were put in order.

    Args:
        late: the rows, at least one.
        num_rows: of the table.
        name: of the column that orders the steps.
        origin: the file behind the table, before it was put in order.
    """
    return (
        f"sorted the steps of each sequence by {name!r}, which falls at {len(late):,} of {num_rows:,} rows, "
        f"first at {_where(origin, int(late[0]))}"
    )


def _where(origin: Origin, row: int) -> str:
    return origin.where(row, row) or f"row {row}"
