"""Groups of sequences, such as those of one patient: parts that share none."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.core.shuffle import SPLIT, permutation
from drystone.core.words import so_many
from drystone.train.split import PARTS, Ints


def groups_of(seqs: Sequences, name: str) -> npt.NDArray[Any]:
    """Returns the group of each sequence, [sequences]: a field, which may repeat it at every step.

    Raises:
        DataError: there is no such field; a group is missing or no single value; it changes within a sequence; or there is
            one group only.
    """
    field = seqs.collapsed(name).field(name)
    if field.item_shape:
        raise DataError(f"group {name!r} has shape {field.item_shape} a sequence; a group is one value.")
    missing = _missing(field.values)
    if missing.any():
        raise DataError(
            f"group {name!r} is missing in {seqs.place(int(np.argmax(missing)))}; fill it in, or leave the sequence out."
        )
    if (field.values == field.values[0]).all():
        raise DataError(
            f"every sequence has group {name!r} {field.values[0]!s}; parts that share no group need two groups at least."
        )
    return field.values


def grouped(
    labels: npt.NDArray[Any], groups: npt.NDArray[Any], seed: int, shares: Mapping[str, float]
) -> dict[str, Ints]:
    """Draws parts of whole groups, each [sequences] rising, with about the share of sequences that each should have.

    The groups of each class, the one that most of their sequences have, are gone through in random order by themselves; a
    part takes those that bring it nearer to its share. What is missing, or too much, goes over to the next class. So parts
    differ from their shares by about half a group. Every part that has a share has a group, and so has training in every class.

    Args:
        labels: [sequences], one class each.
        groups: [sequences], the group of each.
        seed: of the draw.
        shares: of each part but training, 0 … 1.

    Raises:
        DataError: fewer groups than parts.
    """
    _, of = np.unique(groups, return_inverse=True)
    sizes = np.bincount(of)
    classes = _most_frequent(labels, of)
    wanted = [part for part, share in shares.items() if share]
    if len(sizes) <= len(wanted):
        raise DataError(
            f"there are {so_many(len(sizes), 'group')}, and {len(wanted) + 1} parts; each part needs one of its own. Ask for "
            f"fewer parts."
        )
    part_of = np.full(len(sizes), "train", dtype=object)
    order = permutation(len(sizes), seed, 0, SPLIT)
    owed = dict.fromkeys(wanted, 0.0)
    for code in range(int(classes.max()) + 1):
        members = order[classes[order] == code]
        half = int(sizes[members].max()) / 2
        for part in wanted:
            owed[part] = min(owed[part], half) + shares[part] * int(sizes[members].sum())
            for group in members[:-1]:
                if part_of[group] == "train" and sizes[group] <= 2 * owed[part]:
                    part_of[group] = part
                    owed[part] -= int(sizes[group])
    for part in wanted:
        if part not in part_of:
            part_of[_spare(part_of, order, sizes)] = part
    return {part: np.flatnonzero(part_of[of] == part) for part in PARTS}


def check_apart(seqs: Sequences, name: str, groups: npt.NDArray[Any], parts: Mapping[str, Ints], remedy: str) -> None:
    """Raises DataError where a group lies in two parts; with what to do."""
    first_in: dict[Any, tuple[str, int]] = {}
    for part, members in parts.items():
        found, first = np.unique(groups[members], return_index=True)
        for group, at in zip(found.tolist(), members[first].tolist(), strict=True):
            before, other = first_in.setdefault(group, (part, at))
            if before != part:
                raise DataError(
                    f"group {name!r} {group!s} lies in two parts: {seqs.place(other)} in {before}, {seqs.place(at)} in {part}. "
                    f"{remedy}"
                )


def _spare(part_of: npt.NDArray[Any], order: Ints, sizes: Ints) -> int:
    """Returns the smallest group of the part that has most groups."""
    names, counts = np.unique(part_of.astype(str), return_counts=True)
    spare = order[part_of[order] == names[counts.argmax()]]
    return int(spare[np.argmin(sizes[spare])])


def _missing(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    if values.dtype == object:
        return np.array([value in (None, "") for value in values], dtype=bool)
    return np.isnan(values) if values.dtype.kind in "fM" else np.zeros(len(values), dtype=bool)


def _most_frequent(labels: npt.NDArray[Any], of: Ints) -> Ints:
    """Returns [groups], the number of the class that most sequences of each group have."""
    known, codes = np.unique(labels, return_inverse=True)
    pairs, counts = np.unique(of * len(known) + codes, return_counts=True)
    by_count = np.lexsort((-counts, pairs // len(known)))
    _, first = np.unique((pairs // len(known))[by_count], return_index=True)
    return (pairs % len(known))[by_count][first]
