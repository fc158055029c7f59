"""Tapes and cuts in NumPy and plain Python: the oracle of the C++."""

from heapq import heapify, heapreplace

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def lay_tapes(lengths: Ints, rows: int, carried: Ints) -> tuple[Ints, Ints]:
    """Does what `drystone.native.lay_tapes` says."""
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


def cut_runs(row: Ints, start: Ints, length: Ints, steps: int) -> tuple[Ints, ...]:
    """Does what `drystone.native.cut_runs` says."""
    last = start + length - 1
    first_batch = start // steps
    pieces = last // steps - first_batch + 1
    run = np.repeat(np.arange(len(row)), pieces)
    batch = first_batch[run] + np.arange(len(run)) - (np.cumsum(pieces) - pieces)[run]
    left = np.maximum(start[run], batch * steps)
    right = np.minimum(last[run] + 1, (batch + 1) * steps)
    order = np.lexsort((left, row[run], batch))
    columns = (batch, row[run], left - batch * steps, run, left - start[run], right - left)
    return tuple(column[order] for column in columns)


def cut_batches(
    costs: Ints, counts: Ints, max_rows: Ints, budget: int, multiple: int
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Does what `drystone.native.cut_batches` says."""
    sizes: list[int] = []
    full: list[bool] = []
    stop = 0
    for count, most in zip(counts.tolist(), max_rows.tolist(), strict=True):
        start, stop = stop, stop + count
        while start < stop:
            affordable = max(1, budget // int(costs[start]))  # costs only rise from here on, as the costliest counts
            window = costs[start : min(stop, start + most, start + affordable)]
            tops = np.maximum.accumulate(window)
            fits = np.arange(1, len(window) + 1) * tops <= budget
            size = len(window) if fits.all() else max(1, int(np.argmin(fits)))
            is_cut = size < stop - start
            size -= size % multiple if size >= multiple else 0
            more = size + multiple if size >= multiple else size + 1
            full.append(is_cut or more > most or more * int(tops[size - 1]) > budget)
            sizes.append(size)
            start += size
    return np.array(sizes, dtype=np.int64), np.array(full, dtype=bool)
