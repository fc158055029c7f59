"""Tables of one step a row: rows grouped into sequences, without a loop over rows."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core import build
from drystone.core.errors import DataError
from drystone.core.lengths import offsets_of
from drystone.core.origin import Origin
from drystone.core.sequences import Sequences
from drystone.readers.options import Options

Positions = npt.NDArray[np.int64]

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
    order = _order(codes, table, options.order_by)
    if order is not None:
        table, codes = table.take(pa.array(order)), codes[order]
    if not ids:
        _warn_of_ties(table, options.order_by)
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
    return Sequences.from_parts(
        parts, options.on_empty, origin=origin, sequence_id=options.sequence_id, order_by=options.order_by
    )


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


def _order(codes: Positions, table: pa.Table, order_by: str | None) -> Positions | None:
    """The order that groups and sorts the rows, or None where they lie so already."""
    if order_by is None and (np.diff(codes) >= 0).all():
        return None
    keys = {"sequence": pa.array(codes)} | ({"order": table[order_by]} if order_by is not None else {})
    by = [(key, "ascending") for key in keys]
    order = np.asarray(pc.sort_indices(pa.table(keys), sort_keys=by)).astype(np.int64)
    return None if (np.diff(order) == 1).all() else order


def _warn_of_ties(table: pa.Table, order_by: str | None) -> None:
    """Several series in one file would be woven into one where nothing tells them apart."""
    if order_by is None or len(table) < 2:
        return
    column = table[order_by].combine_chunks()
    same = pc.fill_null(pc.equal(column.slice(1), column.slice(0, len(column) - 1)), False)
    count = pc.sum(same).as_py()
    if count:
        warnings.warn(
            f"{count} of {len(column)} rows have the same {order_by!r} as the row before, and all rows are read as one "
            f"series. If there are several, say which column tells them apart with sequence_id= (--sequence-id).",
            stacklevel=2,
        )


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
