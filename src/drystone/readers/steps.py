"""Tables of one step a row: rows grouped into sequences, without a loop over rows."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core import build
from drystone.core.errors import DataError
from drystone.core.lengths import offsets_of
from drystone.core.origin import Origin
from drystone.core.sequences import Sequences
from drystone.readers.duplicates import check_order, with_duplicates
from drystone.readers.options import Options
from drystone.readers.order import Positions, rows_in_order
from drystone.readers.times import check_text, late_rows_in_words, warn_of_falling

MAX_EXACT_FLOAT = 2.0**53  # beyond it, two different whole numbers can become one float


def group_steps(table: pa.Table, origin: Origin, options: Options) -> Sequences:
    """Groups rows of one sequence, in the order in which sequences first appear; stable within each.

    Args:
        table: one step a row; `sequence_id` and `order_by` have a value in each.
        origin: the file behind the table.
        options: the column that tells sequences apart (without it there is one), the order of steps, and which
            columns hold one value a sequence.

    Raises:
        DataError: a column of `per_sequence` differs within a sequence, or values of no known type.
    """
    ids = () if options.sequence_id is None else (options.sequence_id,)
    codes = _codes_of_ids(table, ids[0]) if ids else np.zeros(table.num_rows, np.int64)
    order, remarks = _order(table, codes, origin, options)
    if order is not None:
        table, codes = table.take(pa.array(order)), codes[order]
    origin = _moved(origin, order)
    bounds = offsets_of(np.bincount(codes))
    for name in options.per_sequence:
        _check_constant(table, name, options.sequence_id, bounds, origin)
    wholes = (*ids, *options.per_sequence)
    parts = build.parts_from_ragged(
        bounds,
        {name: table[name] for name in table.column_names if name not in wholes},
        {name: table[name].take(pa.array(bounds[:-1])) for name in wholes},
    )
    seqs = Sequences.from_parts(
        parts,
        options.on_empty,
        origin=origin,
        sequence_id=options.sequence_id,
        order_by=options.order_by,
        remarks=remarks,
    )
    return with_duplicates(seqs, options.duplicates)


def _codes_of_ids(table: pa.Table, name: str) -> Positions:
    column = table[name]
    if pa.types.is_floating(column.type) and pc.max(pc.abs(column)).as_py() >= MAX_EXACT_FLOAT:
        raise DataError(
            f"column {name!r} holds numbers too large to tell apart, such as {pc.max(pc.abs(column))}. "
            f"Write them as text, with a letter in front."
        )
    return _codes(column)


def _codes(column: pa.ChunkedArray) -> Positions:
    """Numbers the distinct values in the order of first appearance."""
    encoded: Any = column.combine_chunks().dictionary_encode(null_encoding="encode")
    return np.asarray(encoded.indices).astype(np.int64)


def _order(
    table: pa.Table, codes: Positions, origin: Origin, options: Options
) -> tuple[Positions | None, tuple[str, ...]]:
    """The order that groups and sorts the rows, or None where they lie so already; and what there is to say of it."""
    name = options.order_by
    check_order(name, options.duplicates)
    if name is None:
        order, _ = rows_in_order(codes, None)
        warn_of_falling(table.drop_columns(list(options.per_sequence)), codes, order, origin)
        return order, ()
    check_text(table[name], name, origin)
    order, late = rows_in_order(codes, table[name])
    return order, (late_rows_in_words(late, len(table), name, origin),) if len(late) else ()


def _moved(origin: Origin, order: Positions | None) -> Origin:
    if order is None:
        return replace(origin, one_step_a_row=True)
    return replace(origin, one_step_a_row=True, order=order if origin.order is None else origin.order[order])


def _check_constant(table: pa.Table, name: str, sequence_id: str | None, bounds: Positions, origin: Origin) -> None:
    codes = _codes(table[name])
    first = np.repeat(bounds[:-1], np.diff(bounds))
    differs = codes != codes[first]
    if differs.any():
        at = int(np.argmax(differs))
        before, here = table[name][int(first[at])], table[name][at]
        where = origin.where(at, at)
        which = "the series" if sequence_id is None else f"sequence {table[sequence_id][at].as_py()!r}"
        raise DataError(
            f"column {name!r} differs within {which}: {before.as_py()!r} and "
            f"{here.as_py()!r}{f' ({where})' if where else ''}. "
            f"Leave it out of per_sequence=, so that it is a field with a value a step."
        )
