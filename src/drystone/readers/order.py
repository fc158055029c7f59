"""The order of rows of one step each: together by sequence, and sorted by what orders the steps."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core.arrow import one_chunk

Positions = npt.NDArray[np.int64]

NONE = np.zeros(0, np.int64)


def rows_in_order(codes: Positions, times: pa.ChunkedArray | None) -> tuple[Positions | None, Positions]:
    """Returns the order that groups and sorts the rows, and the rows that lie too late for it.

    Args:
        codes: [rows] the number of each row's sequence.
        times: [rows] what orders the steps, none missing; by default they stay in the order of the rows.

    Returns:
        The order, or None where the rows lie so already; ties stay as they are. And the rows, rising, whose time is before
        that of the row of their sequence that stands above them.
    """
    order = _grouped(codes)
    if times is None:
        return order, NONE
    late = falls(times, codes, order)
    if not len(late):
        return order, late
    keys = pa.table({"sequence": pa.array(codes), "time": times})
    by = [("sequence", "ascending"), ("time", "ascending")]
    return np.asarray(pc.sort_indices(keys, sort_keys=by)).astype(np.int64), np.sort(late)


def falls(times: pa.ChunkedArray, codes: Positions, order: Positions | None) -> Positions:
    """Returns the rows whose time is before that of the row before them in their sequence; missing times never are.

    Args:
        times: [rows] of any type that has an order.
        codes: [rows] the number of each row's sequence.
        order: the order that groups the rows, or None where they lie so already.
    """
    values = one_chunk(times) if order is None else one_chunk(times).take(pa.array(order))
    grouped = codes if order is None else codes[order]
    is_less = pc.fill_null(pc.less(values.slice(1), values.slice(0, max(len(values) - 1, 0))), False)
    found = np.flatnonzero(np.asarray(is_less) & (grouped[1:] == grouped[:-1])) + 1
    return found if order is None else order[found]


def _grouped(codes: Positions) -> Positions | None:
    if (codes[1:] >= codes[:-1]).all():
        return None
    return np.asarray(pc.array_sort_indices(pa.array(codes))).astype(np.int64)
