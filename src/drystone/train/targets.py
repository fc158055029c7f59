"""The target of a run: a field, or several as one; tags mended where that is asked for."""

from dataclasses import replace

import numpy as np

from drystone.core.column import Column
from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.train.bio import OnBroken, mended


def with_target(seqs: Sequences, target: str, bio: OnBroken | None = None) -> Sequences:
    """Returns the sequences with a field that holds the target; BIO tags are mended if `bio` says so.

    A target such as "load,price", which is no field, is made of the fields that its commas separate: numbers side by side.
    Where one of them is missing, as in data to predict, nothing is made.

    Raises:
        DataError: one of them holds no single numbers, or some have a value a step and some a value a sequence.
    """
    if bio == "mend":
        return mended(seqs, target)
    names = target.split(",")
    if target in seqs.field_names or len(names) < 2 or not all(name in seqs.field_names for name in names):
        return seqs
    if len(set(names)) < len(names):
        raise DataError(f"target {target!r} names a field twice.")
    for name in names:
        field = seqs.field(name)
        if not field.is_numeric or field.item_shape:
            raise DataError(f"field {name!r} is {field.describe()}; a target of several fields needs a number of each.")
    per_step = [name for name in names if seqs.field(name).per_step]
    if len(per_step) not in (0, len(names)):
        other = next(name for name in names if name not in per_step)
        raise DataError(
            f"field {per_step[0]!r} has a value a step and {other!r} a value a sequence; a target of several fields needs the "
            f"same of all."
        )
    which = "step_columns" if per_step else "sequence_columns"
    columns = getattr(seqs, which)
    values = np.stack([columns[name].slice(0, len(columns[name])) for name in names], axis=1)
    return replace(seqs, **{which: {**columns, target: Column(values)}})


def parts_of(target: str, seqs: Sequences) -> list[str]:
    """Returns the fields that a target is made of: itself, or those that its commas separate."""
    names = target.split(",")
    return names if all(name in seqs.field_names for name in names) else [target]


def check_names(seqs: Sequences, target: str) -> None:
    """Raises DataError for a target that is no field: of several with commas, the first that is none is named."""
    parts = target.split(",")
    known = [name for name in parts if name in seqs.field_names]
    if target not in seqs.field_names and known:
        seqs.field(next(name for name in parts if name not in known))
