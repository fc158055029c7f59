"""Tags that break BIO: an I- that goes on with nothing, after O, after another type, or where a sequence begins."""

import warnings
from dataclasses import replace
from typing import Literal, cast

import numpy as np
import pyarrow as pa

from drystone.core.column import Column
from drystone.core.errors import DataError
from drystone.core.lengths import place_of, ranges
from drystone.core.sequences import Sequences
from drystone.core.words import so_many
from drystone.text.tags import BEGIN, INSIDE, Bools, Ints, Tags, is_bio

OnBroken = Literal["count", "mend", "error"]


def mended(seqs: Sequences, target: str) -> Sequences:
    """Returns the sequences with each tag that breaks BIO made one that begins a chunk: I-city becomes B-city.

    The chunks stay those that `drystone.text.chunks.chunks_of` finds. Where the target holds no BIO tags, or is not there,
    nothing is made.

    Example:
        >>> seqs = Sequences.from_arrays({"tag": [["I-city", "I-city", "O", "I-day"]]})
        >>> mended(seqs, "tag").field("tag").values.tolist()
        ['B-city', 'I-city', 'O', 'B-day']
    """
    found = _tags_of(seqs, target)
    if found is None:
        return seqs
    names, ids = found
    begins = [BEGIN + name.removeprefix(INSIDE) for name in names]
    ids = np.where(_broken(seqs, *found), ids + len(names), ids)
    values = pa.array([*names, *begins], pa.large_string()).take(pa.array(ids))
    return replace(seqs, step_columns={**seqs.step_columns, target: Column(cast("pa.LargeStringArray", values))})


def check_bio(seqs: Sequences, target: str, choice: OnBroken) -> None:
    """Warns of tags that break BIO, or refuses them, as chosen.

    Raises:
        DataError: one does, and `choice` is "error"; the message names the first.
    """
    found = _tags_of(seqs, target)
    if found is None:
        return
    names, ids = found
    at = ranges(seqs.starts, seqs.lengths)
    broken = np.flatnonzero(_broken(seqs, names, ids)[at])
    if not len(broken):
        return
    sequence, step = place_of(int(broken[0]), seqs.lengths)
    number = int(at[broken[0]])
    name, is_begin = names[ids[number]], number in seqs.source_starts
    before = "where it begins" if is_begin else f"after {names[ids[number - 1]]!r}"
    first = f"{name!r} in {seqs.place(sequence, step)}, {before}"
    if choice == "error":
        more = f" (and {len(broken) - 1:,} more)" if len(broken) > 1 else ""
        raise DataError(
            f"target {target!r} breaks BIO{more}: it is {first}. An I- goes on with a chunk of its type; correct it, or give "
            f"bio='mend' (--bio mend), which makes it {BEGIN + name.removeprefix(INSIDE)!r}."
        )
    warnings.warn(
        f"{so_many(len(broken), 'step')} of target {target!r} {'breaks' if len(broken) == 1 else 'break'} BIO; the first is "
        f"{first}. Figures count it as the begin of a chunk, and the model learns it as it is; bio='mend' (--bio mend) makes "
        f"it a B-.",
        stacklevel=5,
    )


def _tags_of(seqs: Sequences, target: str) -> tuple[list[str], Ints] | None:
    """Returns the tags, and the number of each value of the target's column; None where these are no BIO tags."""
    column = seqs.step_columns.get(target)
    if column is None or not column.is_text:
        return None
    encoded = cast("pa.LargeStringArray", column.values).dictionary_encode(null_encoding="encode")
    names = encoded.dictionary.to_pylist()
    return (names, encoded.indices.to_numpy().astype(np.int64)) if is_bio(names) else None


def _broken(seqs: Sequences, names: list[str], ids: Ints) -> Bools:
    """Returns which values of the target's column break BIO; a sequence that a view cut goes on with what came before."""
    return Tags(names).breaks(ids, seqs.source_starts[seqs.source_starts < len(ids)])
