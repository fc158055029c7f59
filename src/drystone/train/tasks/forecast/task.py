"""Forecast, as a run knows it."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import nn
from torchmetrics import Metric

from drystone.core.errors import ConfigError, DataError
from drystone.core.lengths import Lengths, offsets_of, place_of, ranges
from drystone.core.loader import Loader
from drystone.core.sequences import Sequences
from drystone.core.words import so_many
from drystone.plots.figure import Picture
from drystone.train.features.choose import choose_features
from drystone.train.features.numbers import check_finite, mean_and_spread
from drystone.train.layouts import carrying_layout, stateful_rows, stateful_steps
from drystone.train.loaders import loader_of, prediction_loader
from drystone.train.loop.evaluator import Evaluator, device_of_model
from drystone.train.model import ModelSpec, RunModel
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.split import PARTS, Split, by_time
from drystone.train.tasks.figures import metrics
from drystone.train.tasks.forecast.about import FORECAST
from drystone.train.tasks.forecast.model import Forecaster
from drystone.train.tasks.forecast.objective import ForecastsOnly, LastRepeated, SquaredErrors
from drystone.train.tasks.forecast.pasts import pasts
from drystone.train.tasks.forecast.pictures import Asked, forecasts_in, pictures
from drystone.train.tasks.per_step import step_columns
from drystone.train.tasks.task import Scores, Task, check_validation, stated_parts

LAST = "last value"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastScores(Scores):
    """Figures of forecasts, in the units of the target, over all scored steps and the whole horizon.

    Args:
        steps: how many were scored: those whose next values are known.
        rmse: the root of the mean squared error.
        mae: the mean absolute error.
        r2: the share of the variance that is explained.
    """

    steps: int
    rmse: float
    mae: float
    r2: float


class Forecast(Task):
    """What the target will be at the next steps, at every step."""

    about = FORECAST

    @classmethod
    def check_target(cls, seqs: Sequences, target: str) -> None:
        """Proves that the target is one number a step."""
        field = seqs.field(target)
        if not field.per_step or field.item_shape or field.values.dtype.kind not in "iuf":
            kind = "step" if field.per_step else "sequence"
            raise DataError(f"target {target!r} is {field.describe()} a {kind}; a forecast needs one number a step.")

    @classmethod
    def split(cls, seqs: Sequences, settings: Settings) -> Split:
        """Proves that the target is a measurement, and splits by time: no two parts share a target."""
        check_finite(seqs, settings.target, "targets of forecasts")
        return _split(seqs, settings)

    @classmethod
    def schema_of(cls, seqs: Sequences, settings: Settings, split: Split) -> Schema:
        """Proves that each part has steps to score."""
        if settings.align is not None:
            seqs.field(settings.align)  # before a field of targets stands beside those of the user
        train = split.sequences(seqs, "train", settings.context or "before")
        features = choose_features(seqs, settings.wishes, train, settings.target, target_is_input=True)
        schema = Schema.of(seqs, features, settings.target, {"horizon": settings.horizon})
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
        return self.schema.outputs["horizon"]

    def new_model(self) -> Forecaster:
        """Returns a forecaster."""
        return Forecaster(ModelSpec(self.schema.features, self.horizon, self.settings))

    def fit_statistics(self, model: RunModel, seqs: Sequences) -> None:
        """Sets what the model scales features and target with."""
        assert isinstance(model, Forecaster)
        super().fit_statistics(model, seqs)
        model.set_target_statistics(*mean_and_spread(seqs, self.schema.target))

    def fields(self, seqs: Sequences) -> tuple[str, ...]:
        """Returns the features, and the next values of the target."""
        return (*self.schema.features.batch_fields, _ahead_in(seqs))

    def to_train_on(self, seqs: Sequences) -> Sequences:
        """Returns windows, or the series cut into as many parts as fill all rows, or the series as they are."""
        settings = self.settings
        if settings.window is not None:
            found = seqs.windows(settings.window, settings.stride or 1, self.horizon)
            too_short = seqs.lengths < settings.window + self.horizon
            if not len(found):
                raise DataError(
                    f"window is {settings.window} and horizon {self.horizon}: the longest series of the training part has "
                    f"{so_many(int(seqs.lengths.max()), 'step')}, so it holds no such window. Give shorter ones."
                )
            if too_short.any():
                self._warn_of_short(seqs.lengths[too_short])
            return self._with_targets(found)
        if settings.layout != "stateful" or settings.align is not None:
            return self._with_targets(seqs)
        if len(seqs) >= stateful_rows(settings) and settings.lead is not None:
            raise ConfigError(
                f"lead is {settings.lead}, and no series is cut: the training part has {so_many(len(seqs), 'sequence')}, "
                f"enough for {so_many(stateful_rows(settings), 'row')}. Leave out lead, or give more rows."
            )
        if len(seqs) < stateful_rows(settings):
            parts = -(-stateful_rows(settings) // len(seqs))
            seqs = seqs.cut(parts, stateful_steps(settings) if settings.lead is None else settings.lead)
        return self._with_targets(seqs)

    def _warn_of_short(self, lengths: Lengths) -> None:
        warnings.warn(
            f"{so_many(len(lengths), 'sequence')} of the training part with {so_many(int(lengths.sum()), 'step')} "
            f"{'is' if len(lengths) == 1 else 'are'} shorter than a window of {self.settings.window} with the "
            f"{so_many(self.horizon, 'step')} after it, and not trained on.",
            stacklevel=3,
        )

    def objective(self, seqs: Sequences) -> SquaredErrors:
        """Returns the squared errors."""
        return SquaredErrors(_ahead_in(seqs))

    def metrics(self) -> dict[str, Metric]:
        """Returns rmse, mae and r2."""
        return metrics()

    def evaluator(
        self, seqs: Sequences, device: torch.device, between: Callable[[], object] | None = None
    ) -> Evaluator:
        """Returns what measures forecasts at every step whose next values are known, each from the past that it may use."""
        self.check_target(seqs, self.schema.target)
        check_finite(seqs, self.schema.target, "targets of forecasts")
        self.check_scored(seqs, "it")
        found = self._with_targets(seqs)
        first, stop = found.scored_steps()
        loader = self._loader(found, self.fields(found), device, first, stop - first)
        return Evaluator(self.objective(found), loader, self.metrics(), between=between)

    def baselines(self, seqs: Sequences) -> dict[str, dict[str, float]]:
        """Returns the figures of saying the last value of the target again, for all steps ahead."""
        found = self._with_targets(seqs)
        target, ahead = self.schema.target, _ahead_in(found)
        loader = loader_of(found, carrying_layout(found.lengths), (target, ahead), torch.device("cpu"))
        figures = Evaluator(LastRepeated(target, ahead), loader, self.metrics()).figures(nn.Identity())
        return {LAST: {name: figures[name] for name in self.metrics()}}

    def check_scored(self, seqs: Sequences, what: str) -> int:
        """Returns how many values are scored; raises DataError where no step has its next ones in the same sequence, or part."""
        first, stop = self._with_targets(seqs).scored_steps()
        if not (stop > first).any():
            raise DataError(
                f"horizon is {self.horizon}, and {what} holds no step with {so_many(self.horizon, 'step')} after it: the "
                f"longest sequence has {so_many(int(seqs.lengths.max()), 'step')}. Give a shorter horizon, or more data."
            )
        return int((stop - first).sum()) * self.horizon

    def scores(self, seqs: Sequences, figures: Mapping[str, float]) -> ForecastScores:
        """Returns loss, rmse, mae and r2."""
        first, stop = self._with_targets(seqs).scored_steps()
        return ForecastScores(
            sequences=len(seqs),
            steps=int((stop - first).sum()),
            loss=figures["loss"],
            rmse=figures["rmse"],
            mae=figures["mae"],
            r2=figures["r2"],
        )

    def predict(self, model: nn.Module, seqs: Sequences) -> pa.Table:
        """Returns one row a step: `sequence`, its id, `step`, what orders the steps, and one column a step ahead."""
        forecasts = self._forecasts(model, seqs)
        broken = ~np.isfinite(forecasts).all(axis=1)
        if broken.any():
            sequence, step = place_of(int(np.argmax(broken)), seqs.lengths)
            raise DataError(
                f"{seqs.place(sequence, step)} holds numbers so far from the training data that the model overflows."
            )
        return self._table(seqs, forecasts)

    def pictures(
        self, model: nn.Module, seqs: Sequences, title: str, between: Callable[[], object] | None = None
    ) -> dict[str, Picture]:
        """Returns some forecasts against what came, and the errors over the horizon."""
        first, stop = self._with_targets(seqs).scored_steps()
        asked = Asked(
            seqs=seqs,
            target=self.schema.target,
            horizon=self.horizon,
            first=first,
            count=np.maximum(stop - first, 0),
            ends_only=self.settings.window is not None,
        )
        outcomes = self.evaluator(seqs, device_of_model(model), between).outcomes(model)
        return pictures(asked, forecasts_in(asked, outcomes), {LAST: 1}, title)

    @property
    def output_names(self) -> tuple[str, ...]:
        """y+1, y+2, ... for a target y."""
        return tuple(f"{self.schema.target}+{ahead}" for ahead in range(1, self.horizon + 1))

    def __str__(self) -> str:
        return f"the next {so_many(self.horizon, 'value')} of {self.schema.target!r}"

    def _with_targets(self, seqs: Sequences) -> Sequences:
        """Returns the sequences with the next values of the target as their last field that looks ahead."""
        name = f"{self.schema.target} ahead"
        while name in seqs.field_names:
            name += "'"
        return seqs.ahead(self.schema.target, range(1, self.horizon + 1), name=name)

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
        """Returns [steps of all sequences, horizon]."""
        windowed = self.settings.window is not None
        names = self.schema.features.batch_fields
        loader = self._loader(seqs, names, device_of_model(model), np.zeros_like(seqs.lengths), seqs.lengths)
        offsets = offsets_of(seqs.lengths)
        result = np.zeros((seqs.num_steps, self.horizon))
        for batch, outcome in Evaluator(ForecastsOnly(ends_only=windowed), loader).outcomes(model):
            assert outcome.predictions is not None
            spans = batch.spans
            at = batch.grid.ends.sequence if windowed else ranges(offsets[spans.sequence] + spans.offset, spans.length)
            result[at] = outcome.predictions.cpu().numpy()
        return result

    def _table(self, seqs: Sequences, forecasts: npt.NDArray[np.float64]) -> pa.Table:
        return pa.table(step_columns(seqs, self.output_names) | dict(zip(self.output_names, forecasts.T, strict=True)))


def _ahead_in(seqs: Sequences) -> str:
    """Returns the field that `Forecast._with_targets` added."""
    return next(reversed(dict(seqs.ahead_fields)))


def _split(seqs: Sequences, settings: Settings) -> Split:
    if settings.part_field is None:
        return by_time(seqs, settings.valid_fraction, settings.test_fraction or 0.0)
    parts = stated_parts(seqs, settings)
    if settings.valid_fraction:
        raise ConfigError(
            f"valid_fraction is {settings.valid_fraction}, a share of time, and {settings.parts_are_stated_by} states whole "
            f"series: state a validation part too, or leave out {settings.parts_are_stated_by}."
        )
    check_validation(settings, parts, 'say "valid" of some')
    return Split.of_wholes(seqs.lengths, parts)
