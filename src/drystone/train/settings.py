"""The settings of a training run: checked when made, read from TOML and written to it with a comment each."""

from collections.abc import Mapping
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from drystone.core.defaults import BATCH_SIZE, CARRIED_STEPS
from drystone.core.errors import ConfigError
from drystone.core.words import either
from drystone.readers.options import Documents, Duplicates, check_encoding, did_you_mean
from drystone.train.bio import OnBroken
from drystone.train.features.calendar import PartName
from drystone.train.features.wishes import Missing, TextWishes, Tokens, Wishes
from drystone.train.loop.rate import ScheduleName
from drystone.train.settings_file import as_toml, read_toml
from drystone.train.tasks.known import OF_TASKS, TASKS, goes_with

TaskName = Literal["classify", "regress", "tag", "joint", "forecast", "language-model"]
LayoutName = Literal["padded", "bucketed", "packed", "stateful"]
Pooling = Literal["last", "mean", "max", "mean+max"]
SplitName = Literal["random", "time"]
Base = Literal["none", "last", "season"]
Precision = Literal["32-true", "64-true", "bf16-mixed", "16-mixed"]

LISTS = ("features", "categories", "calendar", "known_ahead")
NEED_VALIDATION = ("patience", "evaluate_every")
OF_LAYOUTS: Mapping[str, tuple[LayoutName, ...]] = MappingProxyType(
    {
        "batch_size": ("padded", "bucketed", "packed"),
        "cells": ("bucketed",),
        "num_buckets": ("bucketed",),
        "rows": ("packed", "stateful"),
        "steps": ("packed", "stateful"),
        "lead": ("stateful",),
        "align": ("stateful",),
        "backprop_steps": ("stateful",),
        "window": ("padded", "bucketed", "packed"),
        "stride": ("padded", "bucketed", "packed"),
    }
)
EPOCHS = 100  # where nobody chose a limit
TEST_FRACTION = 0.2  # where no field and no file states the parts
PART_FIELD = "drystone.part"  # the field that says of each sequence which of the files of a run it is from

DATA, LAYOUT, MODEL, TRAINING, OUTPUT = "Data", "Layout of batches", "Model", "Training", "Output"


def setting(default: Any, panel: str, description: str, *, rare: bool = False, **limits: Any) -> Any:
    """Returns a field of settings.

    Args:
        default: its value where none is given.
        panel: the heading that it stands under.
        description: what it is, in a few words.
        rare: whether `drystone fit --help` leaves it to `drystone config`.
        **limits: of its value: ge=, gt=, lt=; strict=False where TOML has no such type.
    """
    return Field(default, description=description, json_schema_extra={"panel": panel, "rare": rare}, **limits)


class Settings(BaseModel):
    """Everything that decides a run, but for the data itself.

    Where the task is not named, the settings that depend on it (`OF_TASKS`) wait for it: see `with_task`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    data: str | None = setting(
        None, DATA, "the file, or the name of the built-in data set, that sequences are read from"
    )
    target: str = setting(..., DATA, "the field to predict")
    task: TaskName | None = setting(
        None,
        DATA,
        "classify, regress: a class, numbers a sequence; tag: at every step; joint: both; forecast: what comes next; language-model: the next token; by default what suits",
    )
    horizon: int | None = setting(None, DATA, "forecast: how many steps ahead", ge=1)
    season: int | None = setting(
        None, DATA, "forecast: steps of a season; found from regular timestamps by default", rare=True, ge=1
    )
    ahead: int | None = setting(None, DATA, "tag: how many steps later the target is", ge=1)
    bio: OnBroken | None = setting(
        None,
        DATA,
        "tag, joint: what becomes of tags that break BIO: count (and warn); mend: I- becomes B-; error",
        rare=True,
    )
    features: tuple[str, ...] | None = setting(
        None, DATA, "input fields; by default numbers that change, and text of few values", strict=False
    )
    categories: tuple[str, ...] | None = setting(
        None, DATA, "features of whole numbers or bools that are categories; text is anyway", strict=False
    )
    calendar: tuple[PartName, ...] | None = setting(
        None, DATA, "more features, of the timestamps of order_by: minute, hour, weekday, yearday", strict=False
    )
    known_ahead: tuple[str, ...] | None = setting(
        None, DATA, "forecast: features, or parts of the calendar, known for the whole horizon", rare=True, strict=False
    )
    missing: Missing = setting(
        "error",
        DATA,
        "what to do with missing values of features: error; ffill: the last one before; indicator: tell the model",
    )
    tokens: Tokens | None = setting(None, DATA, "what documents are cut to: words (by default), characters, bpe")
    vocabulary_size: int | None = setting(
        None, DATA, "text: the most tokens, the most frequent ones; all by default", rare=True, ge=3
    )
    min_count: int = setting(1, DATA, "text: tokens that training has less often are unknown", rare=True, ge=1)
    lowercase: bool = setting(False, DATA, "text: whether it is lowered", rare=True)
    spelling: bool = setting(False, DATA, "text: whether words are read letter by letter too", rare=True)
    sequence_id: str | None = setting(None, DATA, "for one step a row: the column that tells sequences apart")
    order_by: str | None = setting(
        None, DATA, "the column that orders steps; alone, for one step a row, it makes all rows one series"
    )
    duplicates: Duplicates | None = setting(
        None, DATA, "steps of one sequence at the same time: first, mean, error; by default all are kept"
    )
    text: str | None = setting(
        None,
        DATA,
        "the field of text: documents, one a row, or words, one a step",
    )
    documents: Documents | None = setting(
        None, DATA, "of plain text files, what a document is: file (by default), lines", rare=True
    )
    encoding: str | None = setting(None, DATA, "of text files, such as latin-1; UTF-8 by default", rare=True)
    drop_empty: bool = setting(False, DATA, "whether sequences of 0 steps are left out, not refused")
    valid: str | None = setting(None, DATA, "the file of the validation part; DATA then trains")
    test: str | None = setting(None, DATA, "the file of the test part; DATA then trains")
    split_column: str | None = setting(None, DATA, "a field that says train, valid or test of each sequence")
    split: SplitName | None = setting(
        None,
        DATA,
        "how parts are drawn: random, or time: the last sequences for the test (needs order_by)",
        rare=True,
    )
    group: str | None = setting(None, DATA, "a field, such as patient, whose sequences of equal value stay in one part")
    valid_fraction: float = setting(
        0.0,
        DATA,
        "share of sequences (forecast: of time) for validation; of the training part, where parts are stated",
        ge=0,
        lt=1,
    )
    test_fraction: float | None = setting(
        None, DATA, "share of sequences (forecast: of time) for the test; 0.2 unless parts are stated", ge=0, lt=1
    )
    context: int | None = setting(
        None,
        DATA,
        "forecast: steps before validation and test that warm up the state; by default the whole past",
        rare=True,
        ge=1,
    )

    layout: LayoutName | None = setting(
        None,
        LAYOUT,
        "padded, bucketed, packed; forecast, tag: stateful too, but for windows",
    )
    batch_size: int | None = setting(None, LAYOUT, "sequences a batch; 32 unless cells or rows are given", ge=1)
    cells: int | None = setting(None, LAYOUT, "bucketed: the most cells a batch, padding included", rare=True, ge=1)
    num_buckets: int | None = setting(None, LAYOUT, "bucketed: how many buckets; 8 by default", rare=True, ge=1)
    rows: int | None = setting(None, LAYOUT, f"packed, stateful: rows a batch; {BATCH_SIZE} if stateful", ge=1)
    steps: int | None = setting(None, LAYOUT, f"packed, stateful: steps a row; {CARRIED_STEPS} if stateful", ge=1)
    lead: int | None = setting(
        None,
        LAYOUT,
        "stateful: warm-up steps of each part that a series is cut into; as many as steps by default",
        rare=True,
        ge=0,
    )
    backprop_steps: int | None = setting(
        None, LAYOUT, "stateful: how far gradients reach back, a whole multiple of steps", rare=True, ge=1
    )
    align: str | None = setting(
        None, LAYOUT, "stateful: the field of times; one series a row, a column one time", rare=True
    )
    window: int | None = setting(
        None, LAYOUT, "forecast: steps of windows, in place of whole series; no state is carried", rare=True, ge=1
    )
    stride: int | None = setting(
        None, LAYOUT, "forecast: steps from one window to the next in training; 1 by default", rare=True, ge=1
    )
    batches_per_update: int = setting(1, LAYOUT, "batches whose gradients add up to one update", rare=True, ge=1)

    hidden_size: int = setting(128, MODEL, "units of a layer and direction", ge=1)
    num_layers: int = setting(1, MODEL, "LSTM layers", ge=1)
    bidirectional: bool | None = setting(None, MODEL, "whether a second LSTM reads backward")
    pooling: Pooling | None = setting(
        None, MODEL, "classify, regress, joint: how the outputs of a sequence become one: last, mean, max, mean+max"
    )
    base: Base | None = setting(
        None,
        MODEL,
        "forecast: the model learns differences to it: none, last (value), season (a value of the season before); the best by default",
        rare=True,
    )
    embedding_size: int | None = setting(
        None,
        MODEL,
        "numbers of a category's embedding; 0 for one-hot vectors; by default as many suit",
        rare=True,
        ge=0,
    )
    tied: bool | None = setting(
        None, MODEL, "language-model: whether tokens are scored by the vectors that they are read by", rare=True
    )
    weight_dropout: float = setting(
        0.0, MODEL, "fraction of the recurrent weights dropped, in training", rare=True, ge=0, lt=1
    )
    embedding_dropout: float = setting(
        0.2, MODEL, "text: fraction of the numbers of its embeddings dropped, in training", rare=True, ge=0, lt=1
    )
    dropout: float = setting(0.2, MODEL, "fraction dropped between layers, in training", ge=0, lt=1)
    head_dropout: float | None = setting(
        None, MODEL, "fraction dropped before the head, in training", rare=True, ge=0, lt=1
    )
    noise: float | None = setting(
        None, MODEL, "standard deviation of noise on standardised inputs, in training", rare=True, ge=0
    )

    epochs: int | None = setting(
        None, TRAINING, "the most passes over the training part; 100 unless updates or seconds are given", ge=1
    )
    updates: int | None = setting(None, TRAINING, "the most optimiser steps", rare=True, ge=1)
    seconds: float | None = setting(None, TRAINING, "the longest wall time", rare=True, gt=0)
    learning_rate: float = setting(0.005, TRAINING, "the highest, of AdamW", gt=0)
    schedule: ScheduleName = setting("one-cycle", TRAINING, "of the rate: one-cycle, cosine, constant", rare=True)
    warmup: float | None = setting(
        None, TRAINING, "share of the training in which the rate rises; 0.3, 0.05, 0 by schedule", rare=True, ge=0, lt=1
    )
    weight_decay: float = setting(0.01, TRAINING, "of AdamW", rare=True, ge=0)
    gradient_clip: float = setting(1.0, TRAINING, "the largest norm of a gradient; 0 for any", rare=True, ge=0)
    unknown_rate: float = setting(
        0.5,
        TRAINING,
        "text: share of words seen once that are read as unknown, so that it is learned",
        rare=True,
        ge=0,
        le=1,
    )
    label_smoothing: float | None = setting(
        None,
        TRAINING,
        "classify, tag, joint, language-model: share of each target spread over all classes; classify: 0.1, of several labels 0; else 0",
        rare=True,
        ge=0,
        lt=1,
    )
    class_weights: Literal["balanced"] | dict[str, float] | None = setting(
        None, TRAINING, "classify, tag: how much classes count in training: balanced, or cold=1,hot=5", rare=True
    )
    evaluate_every: int | None = setting(
        None, TRAINING, "updates between evaluations of the validation part; else after each epoch", rare=True, ge=1
    )
    monitor: str = setting("loss", TRAINING, "the validation figure that says which weights are best", rare=True)
    patience: int | None = setting(None, TRAINING, "evaluations without a better one before training stops", ge=1)
    keep: Literal["best", "last"] = setting(
        "best", TRAINING, "which weights the run ends with, where there is a validation part: best, last", rare=True
    )
    seed: int = setting(0, TRAINING, "of the split, the weights and the order", ge=0, lt=2**63)
    device: str = setting("auto", TRAINING, "where to train: cpu, cuda, cuda:1, ...; auto takes a GPU if there is one")
    precision: Precision = setting(
        "32-true", TRAINING, "of the arithmetic: 32-true, 64-true, bf16-mixed, 16-mixed", rare=True
    )
    checkpoint_seconds: float = setting(
        60.0, OUTPUT, "seconds between checkpoints; 0 saves after every update", rare=True, ge=0
    )
    tensorboard: bool = setting(False, OUTPUT, "whether to write event files for TensorBoard", rare=True)

    @classmethod
    def check_names(cls, values: Mapping[str, Any]) -> None:
        """Raises ConfigError for a name that is no setting; the message names the nearest."""
        for name in values:
            if name not in cls.model_fields:
                names = list(cls.model_fields)
                hint = did_you_mean(name, names) or f" The settings are: {', '.join(names)}."
                raise ConfigError(f"there is no setting {name!r}.{hint}")

    @classmethod
    def of(cls, **values: Any) -> "Settings":
        """Makes settings; what is not given takes its default.

        Raises:
            ConfigError: an unknown name, or a value out of range; the message names it.
        """
        cls.check_names(values)
        for name in LISTS:
            if isinstance(values.get(name), str):
                values[name] = (values[name],)
        try:
            return cls(**values)
        except ValidationError as error:
            raise ConfigError(_in_words(error)) from None

    @classmethod
    def load(cls, path: Path) -> "Settings":
        """Reads settings that `save` wrote.

        Raises:
            ConfigError: not valid TOML, an unknown name, or a value out of range.
        """
        try:
            return cls.of(**read_toml(path))
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None

    def save(self, path: Path) -> None:
        """Writes the settings that go with the task as TOML; each with a comment that says what it is."""
        assert self.task is not None
        path.write_text(as_toml(type(self), self.task, self.model_dump(mode="json")), encoding="utf-8")

    @property
    def wishes(self) -> Wishes:
        """What is said of the inputs."""
        return Wishes(
            names=self.features,
            categories=self.categories or (),
            calendar=self.calendar or (),
            missing=self.missing,
            known_ahead=self.known_ahead or (),
            horizon=self.horizon or 0,
            text=TextWishes(
                name=self.text,
                tokens=self.tokens,
                size=self.vocabulary_size,
                min_count=self.min_count,
                lowercase=self.lowercase,
                spelling=self.spelling,
            ),
        )

    def with_task(self, task: str) -> "Settings":
        """Returns the settings for a task, what was not given with its defaults; named already, the task stays.

        Raises:
            ConfigError: a setting does not go with the task.
        """
        return self if self.task is not None else type(self).of(**self.model_dump(exclude_none=True), task=task)

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        if value is not None:
            check_encoding(value)
        return value

    @field_validator("class_weights", mode="before")
    @classmethod
    def _read_weights(cls, value: Any) -> Any:
        found = weights_in(value) if isinstance(value, str) and value != "balanced" else value
        if not isinstance(found, Mapping):
            return found
        for name, weight in found.items():
            if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < inf:
                raise ValueError(f"the weight of {name!r} is {weight!r}; expected a number above 0")
        return {str(name): float(weight) for name, weight in found.items()}

    @property
    def part_field(self) -> str | None:
        """The field that says of each sequence which part it belongs to, if there is one."""
        return PART_FIELD if self.valid is not None or self.test is not None else self.split_column

    @property
    def parts_are_stated_by(self) -> str:
        """The settings that state the parts, in words: "split_column", or "valid" and "test"."""
        return " and ".join(name for name in ("split_column", "valid", "test") if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _check_task(self) -> "Settings":
        if self.task is None:
            return self
        about = TASKS[self.task]
        for name in sorted(OF_TASKS - about.defaults({}).keys()):
            if getattr(self, name) is not None:
                raise ValueError(f"{name} goes with task {either(goes_with(name))}, not with {self.task}.")
        if self.layout not in about.layouts:
            raise ValueError(f"layout is {self.layout!r}; task {self.task} takes {', '.join(about.layouts)}.")
        about.check(self)
        return self

    @model_validator(mode="after")
    def _check_layout(self) -> "Settings":
        for name, layouts in OF_LAYOUTS.items():
            if self.layout is not None and getattr(self, name) is not None and self.layout not in layouts:
                raise ValueError(f"{name} goes with layout {either(layouts)}, not with {self.layout}.")
        if self.batch_size is not None and (self.cells is not None or self.rows is not None):
            raise ValueError(f"give either batch_size or {'cells' if self.cells is not None else 'rows and steps'}.")
        if self.rows is not None and self.steps is None and self.layout not in (None, "stateful"):
            raise ValueError("rows needs steps too.")
        steps = self.steps or CARRIED_STEPS
        if self.backprop_steps is not None and self.backprop_steps % steps:
            raise ValueError(f"backprop_steps is {self.backprop_steps}; expected a whole multiple of steps, {steps}.")
        return self

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Makes the choices that depend on others, so that saved settings say them."""
        if values.get("task") in tuple(TASKS):
            if values["task"] == "language-model":
                values = {"target": values.get("text") or "text", **values}
            usual = TASKS[values["task"]].defaults(values)
            values = values | {name: value for name, value in usual.items() if values.get(name) is None}
        if all(values.get(name) is None for name in ("epochs", "updates", "seconds")):
            values = values | {"epochs": EPOCHS}
        if all(values.get(name) is None for name in ("split_column", "valid", "test", "test_fraction")):
            values = values | {"test_fraction": TEST_FRACTION}
        return values

    @model_validator(mode="after")
    def _check_training(self) -> "Settings":
        has_no_validation = self.split_column is None and self.valid is None and not self.valid_fraction
        for name in NEED_VALIDATION:
            if getattr(self, name) is not None and has_no_validation:
                raise ValueError(f"{name} needs a validation part: give valid_fraction, valid or split_column.")
        return self

    @model_validator(mode="after")
    def _check_split(self) -> "Settings":
        stated = {
            name: value for name in ("valid", "test", "split_column") if (value := getattr(self, name)) is not None
        }
        if stated and self.test_fraction:
            name, value = next(iter(stated.items()))
            raise ValueError(f"{name} is {value!r}, which states the parts; leave out test_fraction.")
        if self.split_column is not None and len(stated) > 1:
            raise ValueError(
                f"give either split_column or {' and '.join(name for name in stated if name != 'split_column')}."
            )
        if self.valid is not None and self.valid_fraction:
            raise ValueError(f"valid is {self.valid!r}, which is the validation part; leave out valid_fraction.")
        if self.valid_fraction + (self.test_fraction or 0.0) >= 1:
            raise ValueError("valid_fraction and test_fraction together must leave something to train on.")
        return self


def weights_in(text: str) -> dict[str, float]:
    """Returns weights by name from text.

    >>> weights_in("cold=1,hot=5")
    {'cold': 1.0, 'hot': 5.0}

    Raises:
        ValueError: it holds something else, or a name twice.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, weight = (piece.strip() for piece in part.rpartition("="))
        try:
            number = float(weight)
        except ValueError:
            number = None
        if not name or number is None or name in found:
            raise ValueError("expected balanced, or a weight for each of some classes, such as cold=1,hot=5")
        found[name] = number
    return found


def _in_words(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    what = first["msg"].removeprefix("Value error, ")
    return f"{where} is {first['input']!r}: {what}." if where else what
