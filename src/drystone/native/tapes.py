"""Tapes and cuts: which tape each sequence goes to, and where tapes and buckets are cut into batches."""

import numpy as np
import numpy.typing as npt

from drystone.native import numpy_tapes
from drystone.native.choose import native_serves

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Spans = tuple[Ints, ...]


def lay_tapes(lengths: Ints, rows: int, carried: Ints) -> tuple[Ints, Ints]:
    """Lays each sequence, in this order, on the tape that ends first (of several the first).

    Args:
        lengths: [sequences], ≥ 1 each.
        rows: the number of tapes, ≥ 1.
        carried: [sequences that are under way] the tapes that the first sequences start, one a tape.

    Returns:
        The tape of each sequence, and where it starts there.

    Example:
        >>> lay_tapes(np.array([3, 1, 1]), 2, np.zeros(0, np.int64))
        (array([0, 1, 1]), array([0, 0, 1]))
    """
    if not native_serves():
        return numpy_tapes.lay_tapes(lengths, rows, carried)
    from drystone.native import _native

    tape, start = np.empty(len(lengths), np.int64), np.empty(len(lengths), np.int64)
    _native.lay_tapes(lengths, rows, carried, tape, start)
    return tape, start


def cut_runs(row: Ints, start: Ints, length: Ints, steps: int) -> Spans:
    """Cuts runs that lie on endless rows at every multiple of `steps`.

    Args:
        row: [runs] the row of each; of one row, runs come in the order of their starts.
        start: [runs] the column where each starts, ≥ 0.
        length: [runs] in columns, ≥ 1.
        steps: columns a batch, ≥ 1.

    Returns:
        batch, row, step, run, offset in the run and length of each span, in the order of batch, row and step.

    Example:
        >>> batch, row, step, run, offset, length = cut_runs(*np.array([[0, 0, 1], [0, 3, 1], [3, 2, 1]]), 4)
        >>> run, offset, length
        (array([0, 1, 2, 1]), array([0, 0, 0, 1]), array([3, 1, 1, 1]))
    """
    if not native_serves():
        return numpy_tapes.cut_runs(row, start, length, steps)
    from drystone.native import _native

    count = _native.count_pieces(start, length, steps)
    columns = tuple(np.empty(count, np.int64) for _ in range(6))
    _native.cut_runs(row, start, length, int(row.max()) + 1, steps, *columns)
    return columns


def cut_batches(costs: Ints, counts: Ints, max_rows: Ints, budget: int, multiple: int) -> tuple[Ints, Bools]:
    """Cuts each bucket, in this order, into batches: as many rows as its bounds allow.

    Args:
        costs: [sequences], the cost of a row that is as long as the sequence, ≥ 1; bucket after bucket.
        counts: [buckets], sequences in each.
        max_rows: [buckets], the most rows of a batch, ≥ 1.
        budget: the most that rows × the cost of the costliest may come to; a row that alone costs more is a batch.
        multiple: a batch has a multiple of so many rows, or fewer.

    Returns:
        The rows of each batch, and whether it is full: the next sequence of its bucket would not fit, or at the
        bucket's end no more rows of its costliest.

    Example:
        >>> cut_batches(np.array([2, 3, 5, 1, 9]), np.array([4, 1]), np.array([8, 8]), budget=9, multiple=1)
        (array([2, 1, 1, 1]), array([ True,  True, False,  True]))
    """
    if not native_serves():
        return numpy_tapes.cut_batches(costs, counts, max_rows, budget, multiple)
    from drystone.native import _native

    sizes, full = np.empty(len(costs), np.int64), np.empty(len(costs), np.bool_)
    count = _native.cut_batches(costs, counts, max_rows, budget, multiple, sizes, full)
    return sizes[:count].copy(), full[:count].copy()
