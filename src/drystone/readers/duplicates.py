"""Steps of one sequence at the same time: kept, made one, or refused."""

import warnings
from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core.bounds import Bounds
from drystone.core.column import Column
from drystone.core.errors import DataError
from drystone.core.lengths import offsets_of, ranges
from drystone.core.origin import Origin
from drystone.core.sequences import Sequences
from drystone.core.words import so_many
from drystone.readers.options import Duplicates

Positions = npt.NDArray[np.int64]


def with_duplicates(seqs: Sequences, rule: Duplicates | None) -> Sequences:
    """Returns the sequences with the steps that have the same time as the step before them dealt with.

    Args:
        seqs: as they were read, steps in order: no view.
        rule: "first" keeps the first of each time; "mean" takes the mean of numbers, as floats, without missing ones, and
            the first of all else; "error" refuses; None keeps all, with a warning.

    Raises:
        DataError: times repeat, where the rule is "error", or nothing orders the steps.
    """
    check_order(seqs.order_by, rule)
    if seqs.order_by is None:
        return seqs
    repeats = _repeats(seqs, seqs.order_by)
    if rule is None:
        if len(repeats):
            warnings.warn(_warning(seqs, repeats), stacklevel=2)
        return seqs
    if rule == "error" and len(repeats):
        raise DataError(
            f"{_in_words(seqs, repeats)}. Leave out all but one of each, or say what becomes of them with "
            f'duplicates="first" or "mean" (--duplicates).'
        )
    return seqs if rule == "error" else _as_one(seqs, repeats, rule)


def check_order(order_by: str | None, rule: Duplicates | None) -> None:
    """Raises DataError where nothing says which steps are at the same time."""
    if order_by is None and rule is not None:
        raise DataError(
            f'duplicates="{rule}" (--duplicates) needs order_by= (--order-by): the column whose values repeat.'
        )


def _repeats(seqs: Sequences, name: str) -> Positions:
    """The positions, among all steps, of those with the same time as the step before in their sequence."""
    column = seqs.step_columns[name]
    if column.is_text:
        texts = cast("pa.Array", column.values)
        same = np.asarray(pc.fill_null(pc.equal(texts[1:], texts[:-1]), False))
    else:
        numbers = cast("npt.NDArray[Any]", column.values)
        same = numbers[1:] == numbers[:-1]
    found = np.flatnonzero(same) + 1
    # Between sequences there may be padding, and two of them may meet at the same time.
    of = _sequence_at(found, seqs)
    return found[(found > seqs.starts[of]) & (found < seqs.starts[of] + seqs.lengths[of])]


def _sequence_at(positions: Positions, seqs: Sequences) -> Positions:
    """The last sequence that starts at or before each position."""
    return np.searchsorted(seqs.starts, positions, side="right") - 1


def _in_words(seqs: Sequences, repeats: Positions) -> str:
    assert seqs.order_by is not None
    position = int(repeats[0])
    sequence = int(_sequence_at(repeats[:1], seqs)[0])
    step = position - int(seqs.starts[sequence])
    there = seqs.origin.where(position, sequence) if seqs.origin.one_step_a_row else ""
    return (
        f"{seqs.order_by!r} repeats within a sequence at {len(repeats):,} of {so_many(seqs.num_steps, 'step')}, "
        f"first {seqs.step_columns[seqs.order_by].slice(position, 1)[0]} in {seqs.place(sequence, step - 1)} and {there or f'step {step}'}"
    )


def _warning(seqs: Sequences, repeats: Positions) -> str:
    words = (
        f"{_in_words(seqs, repeats)}. All are kept, in the order in which they came; to make one step of them, pass "
        f'duplicates="first" or "mean" (--duplicates).'
    )
    if seqs.sequence_id is None and seqs.origin.one_step_a_row:
        # Several series in one file would be woven into one where nothing tells them apart.
        words += (
            " All rows are read as one series: if there are several, say which column tells them apart with "
            "sequence_id= (--sequence-id)."
        )
    return words


def _as_one(seqs: Sequences, repeats: Positions, rule: Duplicates) -> Sequences:
    num_values = len(next(iter(seqs.step_columns.values())))
    is_kept = np.ones(num_values, bool)
    is_kept[repeats] = False
    kept = np.flatnonzero(is_kept)
    before = offsets_of(is_kept)
    columns = {
        name: _means(column, kept)
        if rule == "mean" and column.is_numeric and name != seqs.order_by
        else _taken(column, kept)
        for name, column in seqs.step_columns.items()
    }
    starts = before[seqs.starts]
    lengths = before[seqs.starts + seqs.lengths] - starts
    for array in (starts, lengths, before):
        array.setflags(write=False)
    how = "their first is kept" if rule == "first" else "the mean of their numbers is taken"
    remark = f"{_in_words(seqs, repeats)}: {how}" if len(repeats) else None
    return replace(
        seqs,
        step_columns=columns,
        starts=starts,
        lengths=lengths,
        source_starts=before[seqs.source_starts],
        bounds=None if seqs.bounds is None else _moved(seqs.bounds, seqs.starts, before),
        origin=_without(seqs.origin, kept),
        remarks=seqs.remarks if remark is None else (*seqs.remarks, remark),
    )


def _taken(column: Column, kept: Positions) -> Column:
    if len(kept) == len(column):
        return column
    if column.is_text:
        return Column(cast("pa.LargeStringArray", column.values).take(pa.array(kept)))
    return Column(column.take(kept))


def _means(column: Column, kept: Positions) -> Column:
    """The mean of the values from each kept position up to the next; missing ones count only where all are."""
    values = cast("npt.NDArray[Any]", column.values)
    if values.dtype.kind == "b":
        return _taken(column, kept)
    result = values[kept].astype(values.dtype if values.dtype.kind == "f" else np.float64)
    sizes = np.diff(np.append(kept, len(values)))
    several = np.flatnonzero(sizes > 1)
    if len(several):
        sizes = sizes[several]
        found = values[ranges(kept[several], sizes)].astype(np.float64)
        starts = offsets_of(sizes)[:-1]
        is_there = ~np.isnan(found)
        with np.errstate(invalid="ignore", over="ignore"):
            means = np.add.reduceat(np.where(is_there, found, 0.0), starts) / np.add.reduceat(
                is_there, starts, dtype=int
            )
            # Rounding must not take the mean of equal values away from them.
            means = np.clip(means, np.fmin.reduceat(found, starts), np.fmax.reduceat(found, starts))
            result[several] = means
    return Column(result)


def _moved(bounds: Bounds, starts: Positions, before: Positions) -> Bounds:
    return Bounds(
        lead=before[starts + bounds.lead] - before[starts], floor=before[bounds.floor], ceiling=before[bounds.ceiling]
    )


def _without(origin: Origin, kept: Positions) -> Origin:
    if not origin.one_step_a_row:
        return origin
    return replace(origin, order=kept if origin.order is None else origin.order[kept])
