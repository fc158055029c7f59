"""The proof that parts are apart: no id lies in two, and sequences that are equal are told of."""

import warnings
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drystone.core.errors import DataError
from drystone.core.field import Field
from drystone.core.lengths import ranges
from drystone.core.sequences import Sequences
from drystone.core.views.times import Times, times_of
from drystone.core.words import so_many
from drystone.train.split import PARTS, Ints, Runs, Split

LEAST_SHARED = 4  # steps, each counted in both parts: one that is equal may be chance


def check_ids(seqs: Sequences, split: Split, *, goes_on: bool) -> None:
    """Proves that no two sequences of one id lie in different parts.

    Args:
        seqs: the sequences; `sequence_id` names their ids.
        split: of them.
        goes_on: whether a series may go on in another part, at other times.

    Raises:
        DataError: an id lies in two parts; the message names it and the sequences.
    """
    if seqs.sequence_id is None:
        return
    found, parts = _all_runs(split)
    ids = seqs.collapsed(seqs.sequence_id).field(seqs.sequence_id).to_arrow()
    of = np.asarray(ids.dictionary_encode("encode").indices).astype(np.int64)[found.sequence]
    pairs = list(_pairs(of, parts, found.sequence))
    if pairs and goes_on and seqs.order_by is not None:
        first, last = _times_of_ends(seqs, seqs.order_by, found)
        pairs = [(one, other) for one, other in pairs if not (last[one] < first[other] or last[other] < first[one])]
    for one, other in pairs:
        places = [f"{seqs.place(int(found.sequence[run]))} in {PARTS[parts[run]]}" for run in (one, other)]
        if not goes_on:
            remedy = f"Leave one out, or draw parts with group={seqs.sequence_id!r} (--group {seqs.sequence_id})"
        elif seqs.order_by is None:
            remedy = "Leave one out; or, if their times differ, say what orders the steps with order_by (--order-by)"
        else:
            remedy = f"They overlap in {seqs.order_by!r}; leave out of one what the other has"
        raise DataError(f"one {seqs.sequence_id!r} lies in two parts: {places[0]}, {places[1]}. {remedy}.")


def check_steps(seqs: Sequences, split: Split) -> None:
    """Proves that no two sequences in different parts are views of the same steps, but for steps that warm up.

    Raises:
        DataError: some are, such as windows that overlap; the message names the first.
    """
    found, parts = _all_runs(split)
    begin = seqs.starts[found.sequence] + np.maximum(found.offset, seqs.bounds_of(found.sequence).lead)
    end = seqs.starts[found.sequence] + found.offset + found.length
    order = np.lexsort((end, begin))
    begin, end, parts, sequence = begin[order], end[order], parts[order], found.sequence[order]
    for part in range(len(PARTS)):
        furthest = np.maximum.accumulate(np.where(parts == part, end, 0))
        overlaps = (parts != part) & (furthest > begin) & (end > begin)
        if overlaps.any():
            other = int(np.argmax(overlaps))
            one = int(np.flatnonzero((parts == part) & (end > begin[other]))[0])
            places = [f"{seqs.place(int(sequence[each]))} in {PARTS[parts[each]]}" for each in (one, other)]
            raise DataError(
                f"parts share steps of one sequence: {places[0]}, {places[1]}. Split first, and make windows of each part; or "
                f"state the parts with split_column (--split-column)."
            )


def warn_of_equals(seqs: Sequences, split: Split, names: Sequence[str]) -> None:
    """Warns of sequences of several steps that are equal to some of an earlier part, in all of these fields."""
    found, parts = _all_runs(split)
    fields = [seqs.field(name) for name in dict.fromkeys(names)]
    likely = _in_two_parts(np.flatnonzero(found.length > 1), _codes_of_ends(seqs, found, fields), parts)
    first: dict[bytes, int] = {}
    equals: list[tuple[int, int]] = []
    for run in likely.tolist():
        before = first.setdefault(_content(found, fields, run), run)
        if parts[before] != parts[run]:
            equals.append((before, run))
    if equals:
        one, other = (f"{seqs.place(int(found.sequence[run]))} in {PARTS[parts[run]]}" for run in equals[0])
        warnings.warn(
            f"{so_many(len(equals), 'sequence')} of a later part {'is' if len(equals) == 1 else 'are'} equal to one of an earlier "
            f"part, in all features and the target; the first are {one} and {other}. Leave copies out, lest figures flatter.",
            stacklevel=4,
        )


def warn_of_shared_steps(seqs: Sequences, split: Split, names: Sequence[str]) -> None:
    """Warns of steps of series without ids that lie in two parts: at the same time, and equal in all of these fields.

    With ids there is proof: see `check_ids`.
    """
    if seqs.sequence_id is not None or seqs.order_by is None or not _is_of_numbers(seqs.field(seqs.order_by)):
        return
    found, parts = _all_runs(split)
    if len(np.unique(found.sequence)) == 1:
        return  # its steps are apart: `check_steps` has proved it
    steps = ranges(seqs.starts[found.sequence] + found.offset, found.length)
    fields = [seqs.field(name) for name in dict.fromkeys((seqs.order_by, *names))]
    codes = _codes([field.column.take(steps) for field in fields if _is_of_numbers(field)])
    shared = _in_two_parts(np.arange(len(steps)), codes, np.repeat(parts, found.length))
    if len(shared) < LEAST_SHARED:
        return
    run = np.repeat(np.arange(len(found)), found.length)
    at = codes == codes[shared[0]]
    one, other = (run[at][parts[run[at]] == part][0] for part in np.unique(parts[run[at]])[:2])
    places = [f"{seqs.place(int(found.sequence[each]))} in {PARTS[parts[each]]}" for each in (one, other)]
    warnings.warn(
        f"parts share steps at the same {seqs.order_by!r}, equal in all features and the target: {places[0]} and {places[1]}, "
        f"first {seqs.field(seqs.order_by).column.take(steps[shared[:1]])[0]}. Leave them out of one part, lest figures flatter; "
        f"or say which field tells series apart with sequence_id (--sequence-id).",
        stacklevel=4,
    )


def _all_runs(split: Split) -> tuple[Runs, Ints]:
    """Returns the runs of all parts together, and the number of the part of each."""
    runs = [split.runs[name] for name in PARTS]
    whole = {name: np.concatenate([getattr(each, name) for each in runs]) for name in ("sequence", "offset", "length")}
    return Runs(**whole), np.repeat(np.arange(len(runs)), [len(each) for each in runs])


def _in_two_parts(runs: Ints, codes: Ints, parts: Ints) -> Ints:
    """Returns those of some runs whose code is also that of a run of another part, in their order."""
    chosen, part = codes[runs], parts[runs]
    least, most = np.full(int(codes.max(initial=0)) + 1, len(PARTS)), np.full(int(codes.max(initial=0)) + 1, -1)
    np.minimum.at(least, chosen, part)
    np.maximum.at(most, chosen, part)
    return runs[least[chosen] < most[chosen]]


def _pairs(of: Ints, parts: Ints, sequence: Ints) -> Iterator[tuple[int, int]]:
    """Yields the runs of one id that lie in different parts, and are not of one and the same sequence."""
    runs = _in_two_parts(np.arange(len(of)), of, parts)
    runs = runs[np.argsort(of[runs], kind="stable")]
    for members in np.split(runs, np.flatnonzero(np.diff(of[runs])) + 1):
        for one, other in combinations(members.tolist(), 2):
            if parts[one] != parts[other] and sequence[one] != sequence[other]:
                yield one, other


def _times_of_ends(seqs: Sequences, order_by: str, runs: Runs) -> tuple[Times, Times]:
    """Returns the times of the first and of the last step of each run."""
    times = times_of(seqs, seqs.bounds_of(np.arange(len(seqs))), order_by)
    begin = seqs.starts[runs.sequence] + runs.offset
    return times[begin], times[begin + runs.length - 1]


def _codes_of_ends(seqs: Sequences, runs: Runs, fields: Sequence[Field]) -> Ints:
    """Returns a number for each run: equal where their lengths, first and last steps of numbers are."""
    begin = seqs.starts[runs.sequence] + runs.offset
    values = [runs.length]
    for field in fields:
        if _is_of_numbers(field):
            values += [field.column.take(at) for at in (begin, begin + runs.length - 1)]
    return _codes(values)


def _is_of_numbers(field: Field) -> bool:
    return field.per_step and not field.is_text and not field.offsets


def _codes(values: Sequence[npt.NDArray[Any]]) -> Ints:
    """Returns a number for each row of several columns: equal where all of them are."""
    rows = np.concatenate([np.ascontiguousarray(each).view(np.uint8).reshape(len(each), -1) for each in values], axis=1)
    keys = pa.FixedSizeBinaryArray.from_buffers(pa.binary(rows.shape[1]), len(rows), [None, pa.py_buffer(rows)])
    return np.asarray(keys.dictionary_encode().indices).astype(np.int64)


def _content(runs: Runs, fields: Sequence[Field], run: int) -> bytes:
    sequence, offset, length = (int(each[run]) for each in (runs.sequence, runs.offset, runs.length))
    digest = blake2b(digest_size=16)
    for field in fields:
        run_of = field.part(sequence, offset, length) if field.per_step else field.part(sequence, 0, 1)
        for content in run_of.compact.content():
            digest.update(content)
    return digest.digest()
