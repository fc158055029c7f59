"""Parts of whole sequences: drawn, or stated by a field."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import ConfigError, DataError
from drystone.core.sequences import Sequences
from drystone.train.groups import check_apart, grouped, groups_of
from drystone.train.in_time import in_time
from drystone.train.settings import Settings
from drystone.train.split import Ints, Split, by_time, stratified
from drystone.train.tasks.task import check_validation, stated_parts


def parts_of(seqs: Sequences, settings: Settings, labels: npt.NDArray[Any]) -> dict[str, Ints]:
    """Returns the parts that a field states, or draws them so that every label has its share in each, or by time.

    A validation part that the field does not state may be drawn from the training part. Groups stay together.

    Args:
        seqs: the sequences.
        settings: with the shares, the seed, the groups, or the field.
        labels: [sequences]; all equal, the draw is a plain one.

    Raises:
        DataError, ConfigError: as `stated_parts`, `check_validation`, `grouped`, `check_apart` and `in_time`.
    """
    groups = None if settings.group is None else groups_of(seqs, settings.group)
    if settings.part_field is None:
        parts = _drawn(seqs, np.arange(len(seqs)), settings, labels, groups)
    else:
        parts = stated_parts(seqs, settings)
        if settings.valid_fraction:
            drawn = _drawn(seqs, parts["train"], settings, labels, groups)
            parts |= {"train": drawn["train"], "valid": drawn["valid"]}
        elif settings.split == "time":
            raise ConfigError(
                f"split is 'time', and {settings.parts_are_stated_by} states the parts; leave out split, or give "
                f"valid_fraction too, for the last sequences of the training part."
            )
        check_validation(settings, parts, "valid_fraction draws one from the training part")
    if settings.group is not None and groups is not None:
        is_stated = settings.part_field is not None
        remedy = "Move its sequences into one part" if is_stated else "Take split='random', which keeps groups together"
        check_apart(seqs, settings.group, groups, parts, f"{remedy}, or leave out group.")
    return parts


def _drawn(
    seqs: Sequences, members: Ints, settings: Settings, labels: npt.NDArray[Any], groups: npt.NDArray[Any] | None
) -> dict[str, Ints]:
    """Draws parts of some sequences; groups that lie in two parts of a split by time are left to who calls."""
    shares = {"valid": settings.valid_fraction, "test": settings.test_fraction or 0.0}
    if settings.split == "time":
        return in_time(seqs, members, shares)
    if groups is None:
        found = stratified(labels[members], settings.seed, shares["valid"], shares["test"])
    else:
        found = grouped(labels[members], groups[members], settings.seed, shares)
    return {part: members[chosen] for part, chosen in found.items()}


def missing_parts(settings: Settings, parts: Mapping[str, Ints]) -> Iterator[tuple[str, float]]:
    """Yields the parts that were asked for and are empty, with the share that each should have."""
    for part, fraction in (("valid", settings.valid_fraction), ("test", settings.test_fraction or 0.0)):
        if fraction and not len(parts[part]):
            yield part, fraction


def split_of_steps(seqs: Sequences, settings: Settings) -> Split:
    """Returns the parts of what is learned at every step: whole sequences, or the times of a single one.

    Raises:
        DataError, ConfigError: as `parts_of`; or a part that was asked for is empty.
    """
    if settings.part_field is None and settings.group is None and len(seqs) == 1:
        return by_time(seqs, settings.valid_fraction, settings.test_fraction or 0.0)
    parts = parts_of(seqs, settings, np.zeros(len(seqs)))
    for part, fraction in missing_parts(settings, parts):
        raise DataError(
            f"there are not enough sequences for a {part} part of {fraction:.0%}: there are {len(seqs)}. Give a larger "
            f"{part}_fraction, or 0 for none; or state the parts with split_column."
        )
    return Split.of_wholes(seqs.lengths, parts)
