"""Tapes and cuts in plain Python: the oracle of the native core."""

from heapq import heapify, heapreplace

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def lay_tapes(lengths: Ints, rows: int, carried: Ints) -> tuple[Ints, Ints]:
    """Lays each sequence, in this order, on the tape that ends first (of several the first).

    Args:
        lengths: [sequences], ≥ 1 each.
        rows: the number of tapes, ≥ 1.
        carried: [sequences that are under way] the tapes that the first sequences start, one a tape.

    Returns:
        The tape of each sequence, and where it starts there.
    """
    tape = np.zeros(len(lengths), dtype=np.int64)
    start = np.zeros(len(lengths), dtype=np.int64)
    tape[: len(carried)] = carried
    begun = np.zeros(rows, dtype=np.int64)
    begun[carried] = lengths[: len(carried)]
    ends = [(end, row) for row, end in enumerate(begun.tolist())]
    heapify(ends)
    for index, length in enumerate(lengths[len(carried) :].tolist(), start=len(carried)):
        end, row = ends[0]
        tape[index], start[index] = row, end
        heapreplace(ends, (end + length, row))
    return tape, start


def cut_batches(
    costs: Ints, counts: Ints, max_rows: Ints, budget: int, multiple: int
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Cuts each bucket, in this order, into batches: as many rows as its bounds allow.

    Args:
        costs: [sequences], the cost of a row that is as long as the sequence, ≥ 1; bucket after bucket.
        counts: [buckets], sequences in each.
        max_rows: [buckets], the most rows of a batch, ≥ 1.
        budget: the most that rows × the cost of the costliest may come to; no row alone costs more.
        multiple: a batch has a multiple of so many rows, or fewer.

    Returns:
        The rows of each batch, and whether it is full: no further rows of its costliest would fit.
    """
    sizes: list[int] = []
    full: list[bool] = []
    stop = 0
    for count, most in zip(counts.tolist(), max_rows.tolist(), strict=True):
        start, stop = stop, stop + count
        while start < stop:
            window = costs[start : min(stop, start + most)]
            tops = np.maximum.accumulate(window)
            fits = np.arange(1, len(window) + 1) * tops <= budget
            size = len(window) if fits.all() else int(np.argmin(fits))
            size -= size % multiple if size >= multiple else 0
            more = size + multiple if size >= multiple else size + 1
            full.append(more > most or more * int(tops[size - 1]) > budget)
            sizes.append(size)
            start += size
    return np.array(sizes, dtype=np.int64), np.array(full, dtype=bool)
