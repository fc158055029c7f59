"""Sequences of several sources, one after the other."""

from collections.abc import Collection, Mapping

import numpy as np

from drystone.core.bounds import Bounds
from drystone.core.build import Parts
from drystone.core.column import Column
from drystone.core.convert import end_to_end
from drystone.core.errors import DataError
from drystone.core.lengths import Lengths, offsets_of, ranges
from drystone.core.origin import Origin
from drystone.core.sequences import Sequences
from drystone.core.storage import KEYS


def append(sources: Mapping[str, Sequences], fields: Collection[str]) -> Sequences:
    """Returns the sequences of all sources, in their order; values are copied once.

    As in a file, views become their steps, fields made by `ahead` their values, and which steps are scored is kept.

    Args:
        sources: of at least one; by the words for each that errors name it with.
        fields: those that the result has; every source has them.

    Raises:
        DataError: a source without sequences; a field that is of another type or shape in one source than in another, or
            has a value a step in one and a value a sequence in another; keys that differ.

    Example:
        >>> spring = Sequences.from_arrays({"x": [[1, 2], [3]]})
        >>> autumn = Sequences.from_arrays({"x": [[4.5]]})
        >>> append({"spring.csv": spring, "autumn.csv": autumn}, ["x"])
        Sequences(3 sequences of 1 to 2 steps; per step: x float64)
    """
    for words, seqs in sources.items():
        if not len(seqs):
            raise DataError(f"{words} holds no sequences.")
    keys = {key: _common_key(key, sources, fields) for key in KEYS}
    lengths = np.concatenate([seqs.lengths for seqs in sources.values()])
    starts = offsets_of(lengths)[:-1]
    columns = {name: _column(name, sources) for name in fields}
    per_step = {name for name in fields if next(iter(sources.values())).field(name).per_step}
    parts = Parts(
        step_columns={name: column for name, column in columns.items() if name in per_step},
        sequence_columns={name: column for name, column in columns.items() if name not in per_step},
        starts=starts,
        lengths=lengths,
        bounds=_bounds(sources, starts, lengths),
    )
    return Sequences.from_parts(parts, "error", origin=_origin(sources), **keys)


def _common_key(key: str, sources: Mapping[str, Sequences], fields: Collection[str]) -> str | None:
    said = {words: name if (name := getattr(seqs, key)) in fields else None for words, seqs in sources.items()}
    if key != "text":  # sequences without one of the other keys may be those of any
        said = {words: name for words, name in said.items() if name is not None}
    if len(set(said.values())) > 1:
        first, name = next(iter(said.items()))
        other, different = next((words, each) for words, each in said.items() if each != name)
        raise DataError(f"{key} is {name!r} in {first} and {different!r} in {other}; all need the same.")
    return next(iter(said.values()), None)


def _column(name: str, sources: Mapping[str, Sequences]) -> Column:
    kinds = {words: seqs.field(name).per_step for words, seqs in sources.items()}
    if len(set(kinds.values())) > 1:
        steps, whole = (next(words for words, kind in kinds.items() if kind is wanted) for wanted in (True, False))
        raise DataError(f"field {name!r} has a value a step in {steps} and a value a sequence in {whole}.")
    return end_to_end([seqs.field(name).compact for seqs in sources.values()], name, list(sources).__getitem__)


def _bounds(sources: Mapping[str, Sequences], starts: Lengths, lengths: Lengths) -> Bounds | None:
    if all(seqs.scores_every_step for seqs in sources.values()):
        return None
    scored = [seqs.scored_steps() for seqs in sources.values()]
    first, stop = (np.concatenate(steps) for steps in zip(*scored, strict=True))
    return Bounds(lead=first, floor=starts, ceiling=starts + stop).unless_whole(starts, lengths)


def _origin(sources: Mapping[str, Sequences]) -> Origin:
    members: list[tuple[int, int, Origin]] = []
    steps = sequences = 0
    for seqs in sources.values():
        members.append((steps, sequences, _settled(seqs)))
        steps, sequences = steps + seqs.num_steps, sequences + len(seqs)
    return Origin(members=tuple(members))


def _settled(seqs: Sequences) -> Origin:
    """Returns the origin of the sequences once they lie end to end."""
    if seqs.origin.name is None:
        return Origin()
    records = ranges(seqs.starts, seqs.lengths) if seqs.origin.one_step_a_row else seqs.source
    return seqs.origin.taken(records)
