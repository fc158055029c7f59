"""Parts of whole sequences: drawn, or stated by a field."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy.typing as npt

from drystone.core.sequences import Sequences
from drystone.train.settings import Settings
from drystone.train.split import Ints, stratified
from drystone.train.tasks.task import check_validation, stated_parts


def parts_of(seqs: Sequences, settings: Settings, labels: npt.NDArray[Any]) -> dict[str, Ints]:
    """Returns the parts that a field states, or draws them at random so that every label has its share in each.

    A validation part that the field does not state may be drawn from the training part.

    Args:
        seqs: the sequences.
        settings: with the shares, the seed, or the field.
        labels: [sequences]; all equal, the draw is a plain one.

    Raises:
        DataError, ConfigError: as `stated_parts` and `check_validation`.
    """
    if settings.split_column is None:
        return stratified(labels, settings.seed, settings.valid_fraction, settings.test_fraction or 0.0)
    parts = stated_parts(seqs, settings)
    if settings.valid_fraction:
        train = parts["train"]
        drawn = stratified(labels[train], settings.seed, settings.valid_fraction, 0.0)
        parts |= {"train": train[drawn["train"]], "valid": train[drawn["valid"]]}
    check_validation(settings, parts, "valid_fraction draws one from the training part")
    return parts


def missing_parts(settings: Settings, parts: Mapping[str, Ints]) -> Iterator[tuple[str, float]]:
    """Yields the parts that were asked for and are empty, with the share that each should have."""
    for part, fraction in (("valid", settings.valid_fraction), ("test", settings.test_fraction or 0.0)):
        if fraction and not len(parts[part]):
            yield part, fraction
