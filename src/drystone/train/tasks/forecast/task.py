"""Forecast, as a run knows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import nn
from torchmetrics import Metric

from drystone.core.errors import ConfigError, DataError
from drystone.core.lengths import offsets_of, ranges
from drystone.core.loader import Loader
from drystone.core.sequences import Sequences
from drystone.core.views.pieces import counted_from
from drystone.core.words import so_many
from drystone.plots.figure import Picture
from drystone.train.features.choose import choose_features
from drystone.train.features.numbers import check_finite, mean_and_spread
from drystone.train.layouts import carrying_layout
from drystone.train.loaders import loader_of, prediction_loader
from drystone.train.loop.evaluator import Evaluator, device_of_model
from drystone.train.model import ModelSpec, RunModel
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.split import PARTS, Split
from drystone.train.tasks.figures import metrics
from drystone.train.tasks.forecast.about import FORECAST
from drystone.train.tasks.forecast.chosen import outlook_of, places_of
from drystone.train.tasks.forecast.laid_out import laid_out
from drystone.train.tasks.forecast.mase import ScaledError
from drystone.train.tasks.forecast.model import Forecaster
from drystone.train.tasks.forecast.naive import LAST, Naive, naive_offsets, with_beginnings
from drystone.train.tasks.forecast.objective import ForecastsOnly, NaiveOnly, SquaredErrors
from drystone.train.tasks.forecast.outlook import Outlook
from drystone.train.tasks.forecast.parts import split_of
from drystone.train.tasks.forecast.pasts import pasts
from drystone.train.tasks.forecast.pictures import Asked, forecasts_in, pictures
from drystone.train.tasks.forecast.targets import ahead_in, check_values, num_scored, with_targets
from drystone.train.tasks.number_names import number_names
from drystone.train.tasks.overflow import check_no_overflow
from drystone.train.tasks.per_step import step_columns
from drystone.train.tasks.task import Scores, Task

LAST_VALUE, SEASONAL = "last value", "seasonal"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastScores(Scores):
    """Figures of forecasts, in the units of the target, over all scored steps and the whole horizon.

    Every step whose next values are known is the origin of a forecast, from all steps up to it and no other: rolling-origin
    evaluation, with one model.

    Args:
        steps: how many were scored: those whose next values are known.
        rmse: the root of the mean squared error; of vectors, over all of their numbers.
        mae: the mean absolute error; of vectors, over all of their numbers.
        r2: the share of the variance that is explained; of vectors, the mean of those of their numbers.
        mase: the mean absolute error ÷ the one that the value a season before (without a season, the value before) has in
            the training part as a forecast of the next; of vectors, the mean of those of their numbers. None where the
            training part never changes so.
    """

    steps: int
    rmse: float
    mae: float
    r2: float
    mase: float | None = None


class Forecast(Task):
    """What the target will be at the next steps, at every step."""

    about = FORECAST

    def __init__(self, settings: Settings, schema: Schema) -> None:
        super().__init__(settings, schema)
        self.outlook = Outlook.from_plain(schema.outputs)

    @classmethod
    def check_target(cls, seqs: Sequences, target: str) -> None:
        """Proves that the target is a number, or a vector of numbers, a step."""
        field = seqs.field(target)
        if not field.per_step or len(field.item_shape) > 1 or field.values.dtype.kind not in "iuf":
            kind = "step" if field.per_step else "sequence"
            raise DataError(
                f"target {target!r} is {field.describe()} a {kind}; a forecast needs a number, or a vector of them, a step."
            )

    @classmethod
    def split(cls, seqs: Sequences, settings: Settings) -> Split:
        """Proves that the target is a measurement, and splits by time: no two parts share a target."""
        check_values(seqs, settings)
        return split_of(seqs, settings)

    @classmethod
    def schema_of(cls, seqs: Sequences, settings: Settings, split: Split) -> Schema:
        """Proves that each part has steps to score."""
        if settings.align is not None:
            seqs.field(settings.align)  # before a field of targets stands beside those of the user
        train = split.sequences(seqs, "train", settings.context or "before")
        features = choose_features(seqs, settings.wishes, train, settings.target, target_is_input=True)
        outlook = outlook_of(seqs, settings, split, features)
        schema = Schema.of(seqs, features, settings.target, outlook.to_plain())
        task = cls(settings, schema)
        for part in PARTS:
            if len(split.part(part)):
                count = task.check_scored(split.sequences(seqs, part, settings.context or "before"), f"the {part} part")
                if part == "valid" and settings.monitor == "r2" and count < 2:
                    raise ConfigError(
                        "monitor is 'r2', and the valid part has 1 value to score; r2 needs two. Give it more steps."
                    )
        return schema

    @property
    def horizon(self) -> int:
        """How many steps ahead."""
        return self.outlook.horizon

    def new_model(self) -> Forecaster:
        """Returns a forecaster."""
        features, outlook = self.schema.features, self.outlook
        spec = ModelSpec(features, outlook.horizon * outlook.num_numbers, self.settings)
        return Forecaster(spec, outlook, places_of(self.schema.target, outlook.shape, features))

    def fit_statistics(self, model: RunModel, seqs: Sequences) -> None:
        """Sets what the model scales features and target with."""
        assert isinstance(model, Forecaster)
        super().fit_statistics(model, seqs)
        model.set_target_statistics(*mean_and_spread(seqs, self.schema.target))

    def fields(self, seqs: Sequences) -> tuple[str, ...]:
        """Returns the features, and the next values of the target."""
        return (*self.schema.features.batch_fields, ahead_in(seqs))

    def to_train_on(self, seqs: Sequences) -> Sequences:
        """Returns windows, or the series cut into as many parts as fill all rows, or the series as they are."""
        return laid_out(self._with_targets(seqs), self.settings, self.horizon)

    def objective(self, seqs: Sequences) -> SquaredErrors:
        """Returns the squared errors."""
        return SquaredErrors(ahead_in(seqs), self._base(seqs))

    def metrics(self) -> dict[str, Metric]:
        """Returns rmse, mae and r2; and mase, where there is something to compare with."""
        naive = np.array(self.outlook.naive_errors)
        scaled: dict[str, Metric] = {"mase": ScaledError(naive)} if naive.any() else {}
        return metrics(self.outlook.num_numbers) | scaled

    def evaluator(
        self, seqs: Sequences, device: torch.device, between: Callable[[], object] | None = None
    ) -> Evaluator:
        """Returns what measures forecasts at every step whose next values are known, each from the past that it may use."""
        self._check_same_target(seqs)
        check_values(seqs, self.settings)
        self.check_scored(seqs, "it")
        found = self._with_targets(seqs)
        first, stop = found.scored_steps()
        loader = self._loader(found, self.fields(found), device, first, stop - first)
        return Evaluator(self.objective(loader.seqs), loader, self.metrics(), between=between)

    def baselines(self, seqs: Sequences) -> dict[str, dict[str, float]]:
        """Returns the figures of the last value, said of all steps ahead, and of the values one season before them.

        Where a sequence holds no value so far back, the last value stands for it. A value that misses is the last one
        before that is known; steps before the first are not counted here.
        """
        found, season = self._with_targets(seqs), self.outlook.season
        ahead = ahead_in(found)
        loader = loader_of(found, carrying_layout(found.lengths), (ahead,), torch.device("cpu"))
        forecasts = {LAST_VALUE: LAST}
        if season is not None:
            forecasts[SEASONAL] = naive_offsets(season, self.horizon)
        result: dict[str, dict[str, float]] = {}
        for name, offsets in forecasts.items():
            said = NaiveOnly(ahead, Naive(seqs=found, target=self.schema.target, offsets=offsets))
            figures = Evaluator(said, loader, self.metrics()).figures(nn.Identity())
            result[name] = {figure: figures[figure] for figure in self.metrics()}
        return result

    def check_scored(self, seqs: Sequences, what: str) -> int:
        """Returns how many values of each number are scored; raises DataError where no step has its next ones in the same sequence, or part."""
        found = self._with_targets(seqs)
        first, stop = found.scored_steps()
        if not (stop > first).any():
            bounds = seqs.bounds_of(np.arange(len(seqs)))
            own = seqs.starts + seqs.lengths - counted_from(seqs, bounds)  # without what came before the part
            raise DataError(
                f"horizon is {self.horizon}, and {what} holds no step with {so_many(self.horizon, 'step')} after it: the "
                f"longest sequence has {so_many(int(own.max()), 'step')} there. Give a shorter horizon, or more data."
            )
        count = self._num_scored(found)
        if not count:
            raise DataError(
                f"{what} holds no step whose next {so_many(self.horizon, 'value')} of {self.schema.target!r} are all known. "
                f"Give a shorter horizon, or more data."
            )
        return count * self.horizon

    def scores(self, seqs: Sequences, figures: Mapping[str, float]) -> ForecastScores:
        """Returns loss, rmse, mae, r2 and mase."""
        return ForecastScores(
            sequences=len(seqs),
            steps=self._num_scored(self._with_targets(seqs)),
            loss=figures["loss"],
            rmse=figures["rmse"],
            mae=figures["mae"],
            r2=figures["r2"],
            mase=figures.get("mase"),
        )

    def predict(self, model: nn.Module, seqs: Sequences) -> pa.Table:
        """Returns one row a step: `sequence`, its id, `step`, what orders the steps, and a column a number and step ahead.

        Where inputs that are known ahead lie past the end of a sequence, there is no forecast: the columns are null.
        """
        if self.outlook.base != "none":
            self._check_known(seqs)
        forecasts = self._forecasts(model, seqs)
        is_known = self.schema.features.are_known_ahead(seqs)
        check_no_overflow(np.where(is_known[:, None], forecasts, 0.0), seqs, per_step=True)
        forecasts[~is_known] = np.nan
        return self._table(seqs, forecasts)

    def pictures(
        self, model: nn.Module, seqs: Sequences, title: str, between: Callable[[], object] | None = None
    ) -> dict[str, Picture]:
        """Returns some forecasts against what came, and the errors over the horizon."""
        found, season = self._with_targets(seqs), self.outlook.season
        first, stop = found.scored_steps()
        asked = Asked(
            seqs=seqs,
            target=self.schema.target,
            targets=ahead_in(found),
            horizon=self.horizon,
            first=first,
            count=np.maximum(stop - first, 0),
            ends_only=self.settings.window is not None,
        )
        outcomes = self.evaluator(seqs, device_of_model(model), between).outcomes(model)
        periods = {LAST_VALUE: 1} | ({} if season is None else {SEASONAL: season})
        return pictures(asked, forecasts_in(asked, outcomes), periods, title)

    @property
    def output_names(self) -> tuple[str, ...]:
        """y+1, y+2, ... for a target y; of vectors those of each number after the other."""
        names = number_names(self.schema.target, self.outlook.shape)
        return tuple(f"{name}+{ahead}" for name in names for ahead in range(1, self.horizon + 1))

    def __str__(self) -> str:
        return f"the next {so_many(self.horizon, 'value')} of {self.schema.target!r}"

    def _with_targets(self, seqs: Sequences) -> Sequences:
        return with_targets(seqs, self.schema.target, self.horizon)

    def _num_scored(self, seqs: Sequences) -> int:
        return num_scored(seqs, self.schema.target, self.horizon, may_miss=self.settings.missing != "error")

    def _base(self, seqs: Sequences) -> Naive | None:
        """Returns what the model learns the difference to; of sequences that `_with_targets` or `with_beginnings` made."""
        offsets = self.outlook.base_offsets
        return None if offsets is None else Naive(seqs=seqs, target=self.schema.target, offsets=offsets)

    def _check_same_target(self, seqs: Sequences) -> None:
        self.check_target(seqs, self.schema.target)
        found = seqs.field(self.schema.target).item_shape
        if found != self.outlook.shape:
            raise DataError(
                f"a step of target {self.schema.target!r} has shape {found}; the model forecasts {self.outlook.shape}."
            )

    def _check_known(self, seqs: Sequences) -> None:
        """Raises DataError where the past of the target, which forecasts are differences to, is not known."""
        try:
            self._check_same_target(seqs)
            check_finite(seqs, self.schema.target, "past values", missing_allowed=self.settings.missing != "error")
        except DataError as error:
            raise DataError(
                f"{error} base is {self.outlook.base!r}: forecasts are differences to past values of {self.schema.target!r}, "
                f"so they must be known. Train with base='none' to forecast without them."
            ) from error

    def _loader(
        self,
        seqs: Sequences,
        fields: tuple[str, ...],
        device: torch.device,
        first: npt.NDArray[np.int64],
        count: npt.NDArray[np.int64],
    ) -> Loader:
        """Returns a loader of all that forecasts at some steps of each sequence are made from."""
        if self.settings.window is not None:
            return prediction_loader(pasts(seqs, self.settings.window, first, count), fields, device)
        return loader_of(seqs, carrying_layout(seqs.lengths), fields, device)

    def _forecasts(self, model: nn.Module, seqs: Sequences) -> npt.NDArray[np.float64]:
        """Returns [steps of all sequences, outputs], in the order of `output_names`."""
        windowed = self.settings.window is not None
        names = self.schema.features.batch_fields
        found = seqs if self.outlook.base == "none" else with_beginnings(seqs, self.schema.target)
        loader = self._loader(found, names, device_of_model(model), np.zeros_like(seqs.lengths), seqs.lengths)
        offsets = offsets_of(seqs.lengths)
        result = np.zeros((seqs.num_steps, len(self.output_names)))
        forecasts = ForecastsOnly(self._base(loader.seqs), ends_only=windowed)
        for batch, outcome in Evaluator(forecasts, loader).outcomes(model):
            assert outcome.predictions is not None
            spans = batch.spans
            at = batch.grid.ends.sequence if windowed else ranges(offsets[spans.sequence] + spans.offset, spans.length)
            result[at] = outcome.predictions.transpose(1, 2).flatten(1).cpu().numpy()
        return result

    def _table(self, seqs: Sequences, forecasts: npt.NDArray[np.float64]) -> pa.Table:
        columns = {
            name: pa.array(values, from_pandas=True)
            for name, values in zip(self.output_names, forecasts.T, strict=True)
        }
        return pa.table(step_columns(seqs, self.output_names) | columns)
