"""Regress, as a run knows it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import ConfigError, DataError
from drystone.core.sequences import Sequences
from drystone.core.words import so_many
from drystone.train.features.choose import choose_features
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.split import Ints, Split
from drystone.train.tasks.drawn import missing_parts, parts_of
from drystone.train.tasks.outputs.kinds import to_plain
from drystone.train.tasks.outputs.numbers import Numbers
from drystone.train.tasks.outputs.outputs import PREDICTION
from drystone.train.tasks.regress.about import REGRESS
from drystone.train.tasks.regress.numbers import check_numbers, numbered
from drystone.train.tasks.sequence.task import SequenceTask
from drystone.train.tasks.task import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressScores(Scores):
    """Figures of predicted numbers, in the units of the target.

    Args:
        rmse: the root of the mean squared error; of vectors, over all of their numbers.
        mae: the mean absolute error; of vectors, over all of their numbers.
        r2: the share of the variance that is explained; of vectors, the mean of those of their numbers.
    """

    rmse: float
    mae: float
    r2: float


class Regress(SequenceTask):
    """One number, or a vector of numbers, a sequence."""

    about = REGRESS
    scores_type = RegressScores

    @classmethod
    def check_target(cls, seqs: Sequences, target: str) -> None:
        """Proves that the target is numbers, the same at all steps of a sequence."""
        check_numbers(seqs, target)

    @classmethod
    def split(cls, seqs: Sequences, settings: Settings) -> Split:
        """Proves that every sequence has its numbers, which differ, and draws the parts at random."""
        values = numbered(seqs, settings.target).field(settings.target).values
        split = Split.of_wholes(seqs.lengths, _parts(seqs, settings))
        _check_varied(values[split.train], settings.target)
        return split

    @classmethod
    def schema_of(cls, seqs: Sequences, settings: Settings, split: Split) -> Schema:
        """Finds the shape of the target, and its mean."""
        target = settings.target
        train = numbered(seqs.select(split.train), target)
        outputs = Numbers.of(train, target)
        features = choose_features(seqs, settings.wishes, split.sequences(seqs, "train"), target)
        trivial = outputs.trivial(outputs.encoded(train.field(target).values))
        return Schema.of(seqs, features, target, to_plain(outputs), {outputs.baseline: trivial.tolist()})

    @classmethod
    def with_items(cls, seqs: Sequences, target: str) -> Sequences:
        """Returns the sequences with their numbers as a value a sequence."""
        return numbered(seqs, target)

    @property
    def output_names(self) -> tuple[str, ...]:
        """`prediction`; of vectors `prediction_0`, `prediction_1`, ..."""
        names = super().output_names
        is_vector = bool(self.schema.outputs[self.outputs.kind])
        return tuple(f"{PREDICTION}_{number}" for number in range(len(names))) if is_vector else (PREDICTION,)

    def columns(self, outputs: npt.NDArray[Any]) -> dict[str, list[Any]]:
        """Returns a column a number."""
        return {name: values.tolist() for name, values in zip(self.output_names, outputs.T, strict=True)}

    def __str__(self) -> str:
        return f"{self.schema.target!r}, {so_many(self.outputs.num_outputs, 'number')} a sequence"


def _parts(seqs: Sequences, settings: Settings) -> dict[str, Ints]:
    parts = parts_of(seqs, settings, np.zeros(len(seqs)))
    for part, fraction in missing_parts(settings, parts):
        raise DataError(
            f"there are {so_many(len(seqs), 'sequence')}, too few for a {part} part of {fraction:.0%}. Give a larger "
            f"{part}_fraction, or 0 for none."
        )
    if settings.monitor == "r2" and len(parts["valid"]) == 1:
        raise ConfigError("monitor is 'r2', and the valid part has 1 sequence; r2 needs two. Give it more.")
    return parts


def _check_varied(values: npt.NDArray[Any], target: str) -> None:
    if (values == values[0]).all():
        said = np.ravel(values[0]).tolist()
        raise DataError(
            f"target {target!r} is {said[0] if len(said) == 1 else said} in every training sequence, so there is nothing "
            f"to learn."
        )
