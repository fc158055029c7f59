"""Regress, as a run knows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import nn
from torchmetrics import Metric

from drystone.core.errors import ConfigError, DataError
from drystone.core.sequences import Sequences
from drystone.core.words import so_many
from drystone.train.features.choose import choose_features
from drystone.train.features.numbers import mean_and_spread
from drystone.train.loaders import prediction_loader
from drystone.train.loop.evaluator import Evaluator, device_of_model
from drystone.train.model import ModelSpec, RunModel
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.split import Ints, Split
from drystone.train.tasks.drawn import missing_parts, parts_of
from drystone.train.tasks.figures import metrics
from drystone.train.tasks.regress.about import REGRESS
from drystone.train.tasks.regress.model import SequenceRegressor
from drystone.train.tasks.regress.numbers import number_field, numbers_of
from drystone.train.tasks.regress.objective import SquaredErrors, numbers_only
from drystone.train.tasks.task import Scores, Task, id_column

MEAN, PREDICTION = "mean", "prediction"


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


class Regress(Task):
    """One number, or a vector of numbers, a sequence."""

    about = REGRESS

    @classmethod
    def check_target(cls, seqs: Sequences, target: str) -> None:
        """Proves that the target is numbers, the same at all steps of a sequence."""
        number_field(seqs, target)

    @classmethod
    def split(cls, seqs: Sequences, settings: Settings) -> Split:
        """Proves that every sequence has its numbers, which differ, and draws the parts at random."""
        numbers = numbers_of(seqs, settings.target)
        split = Split.of_wholes(seqs.lengths, _parts(seqs, settings))
        _check_varied(numbers[split.train], settings.target)
        return split

    @classmethod
    def schema_of(cls, seqs: Sequences, settings: Settings, split: Split) -> Schema:
        """Finds the shape of the target, and its mean."""
        features = choose_features(seqs, settings.wishes, split.sequences(seqs, "train"), settings.target)
        mean, _ = mean_and_spread(seqs.select(split.train).collapsed(settings.target), settings.target)
        shape = number_field(seqs, settings.target).item_shape
        return Schema.of(seqs, features, settings.target, {"shape": list(shape)}, {MEAN: mean.tolist()})

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the target of one sequence: () for a number, (n,) for a vector."""
        return tuple(self.schema.outputs["shape"])

    def new_model(self) -> SequenceRegressor:
        """Returns a regressor."""
        return SequenceRegressor(ModelSpec(self.schema.features, prod(self.shape), self.settings))

    def fit_statistics(self, model: RunModel, seqs: Sequences) -> None:
        """Sets what the model scales features and target with."""
        assert isinstance(model, SequenceRegressor)
        super().fit_statistics(model, seqs)
        model.set_target_statistics(*mean_and_spread(seqs.collapsed(self.schema.target), self.schema.target))

    def objective(self, seqs: Sequences) -> SquaredErrors:
        """Returns the squared errors."""
        return SquaredErrors(self._numbers(seqs))

    def metrics(self) -> dict[str, Metric]:
        """Returns rmse, mae and r2."""
        return metrics(prod(self.shape))

    def evaluator(
        self, seqs: Sequences, device: torch.device, between: Callable[[], object] | None = None
    ) -> Evaluator:
        """Returns what measures a regressor."""
        loader = prediction_loader(seqs, self.fields(seqs), device)
        return Evaluator(self.objective(seqs), loader, self.metrics(), between=between)

    def scores(self, seqs: Sequences, figures: Mapping[str, float]) -> RegressScores:
        """Returns loss, rmse, mae and r2."""
        return RegressScores(
            sequences=len(seqs), loss=figures["loss"], rmse=figures["rmse"], mae=figures["mae"], r2=figures["r2"]
        )

    def baselines(self, seqs: Sequences) -> dict[str, dict[str, float]]:
        """Returns the figures of saying the mean of the training part of every sequence."""
        targets = torch.from_numpy(self._numbers(seqs))
        mean = torch.tensor(self.schema.baselines[MEAN], dtype=torch.float64)
        return {MEAN: self.measured(mean.repeat(len(targets), 1), targets)}

    def predict(self, model: nn.Module, seqs: Sequences) -> pa.Table:
        """Returns one row a sequence: `sequence`, its id, and `prediction`; of vectors `prediction_0`, `prediction_1`, ..."""
        loader = prediction_loader(seqs, self.fields(seqs), device_of_model(model))
        numbers = np.zeros((len(seqs), prod(self.shape)))
        for batch, outcome in Evaluator(numbers_only, loader).outcomes(model):
            assert outcome.predictions is not None
            numbers[batch.host.ends.sequence] = outcome.predictions.cpu().numpy()
        broken = ~np.isfinite(numbers).all(axis=1)
        if broken.any():
            raise DataError(
                f"{seqs.place(int(np.argmax(broken)))} holds numbers so far from the training data that the model overflows."
            )
        columns: dict[str, Any] = {"sequence": np.arange(len(seqs))}
        columns |= id_column(seqs, ("sequence", *self.output_names))
        return pa.table(columns | self.columns(numbers))

    @property
    def output_names(self) -> tuple[str, ...]:
        """`prediction`; of vectors `prediction_0`, `prediction_1`, ..."""
        return tuple(f"{PREDICTION}_{number}" for number in range(prod(self.shape))) if self.shape else (PREDICTION,)

    def __str__(self) -> str:
        return f"{self.schema.target!r}, {so_many(prod(self.shape), 'number')} a sequence"

    def _numbers(self, seqs: Sequences) -> npt.NDArray[np.float64]:
        numbers = numbers_of(seqs, self.schema.target)
        shape = number_field(seqs, self.schema.target).item_shape
        if shape != self.shape:
            raise DataError(
                f"target {self.schema.target!r} has shape {shape} a sequence; the model was trained on {self.shape}."
            )
        return numbers


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


def _check_varied(numbers: npt.NDArray[np.float64], target: str) -> None:
    if (numbers == numbers[0]).all():
        said = numbers[0].tolist()
        raise DataError(
            f"target {target!r} is {said[0] if len(said) == 1 else said} in every training sequence, so there is nothing "
            f"to learn."
        )
