"""All settings of a run: checked when made, read from TOML and written to it with a comment each."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError, model_validator

from drystone.core.errors import ConfigError
from drystone.core.words import either
from drystone.readers.options import did_you_mean
from drystone.train.settings.data import DataSettings
from drystone.train.settings.layout import LayoutSettings
from drystone.train.settings.model import ModelSettings
from drystone.train.settings.output import OutputSettings
from drystone.train.settings.parts import PartSettings
from drystone.train.settings.toml import as_toml, read_toml
from drystone.train.settings.training import NEED_VALIDATION, TrainingSettings
from drystone.train.tasks.known import OF_TASKS, TASKS, goes_with, usual_target


# The last comes first: pydantic takes fields from the last base on, and users see data first.
class Settings(OutputSettings, TrainingSettings, ModelSettings, LayoutSettings, PartSettings, DataSettings):
    """Everything that decides a run, but for the data itself.

    Where the task is not named, the settings that depend on it (`OF_TASKS`) wait for it: see `with_task`.
    """

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

    def with_task(self, task: str) -> "Settings":
        """Returns the settings for a task, what was not given with its defaults; named already, the task stays.

        Raises:
            ConfigError: a setting does not go with the task.
        """
        return self if self.task is not None else type(self).of(**self.model_dump(exclude_none=True), task=task)

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Makes the choices that depend on the task, so that saved settings say them."""
        target = usual_target(values)
        if target is not None:
            values = {"target": target, **values}
        if values.get("task") in tuple(TASKS):
            usual = TASKS[values["task"]].defaults(values)
            values = values | {name: value for name, value in usual.items() if values.get(name) is None}
        return values

    @model_validator(mode="after")
    def _check(self) -> "Settings":
        self._check_task()
        self._check_layout()
        self._check_validation()
        self._check_parts()
        return self

    def _check_task(self) -> None:
        if self.task is None:
            return
        about = TASKS[self.task]
        for name in sorted(OF_TASKS - about.defaults({}).keys()):
            if getattr(self, name) is not None:
                raise ValueError(f"{name} goes with task {either(goes_with(name))}, not with {self.task}.")
        if self.layout not in about.layouts:
            raise ValueError(f"layout is {self.layout!r}; task {self.task} takes {', '.join(about.layouts)}.")
        about.check(self)

    def _check_validation(self) -> None:
        for name in NEED_VALIDATION:
            if getattr(self, name) is not None and not self.has_validation:
                raise ValueError(f"{name} needs a validation part: give valid_fraction, valid or split_column.")


def _in_words(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"{where} is not given: {Settings.model_fields[where].description}."
    what = first["msg"].removeprefix("Value error, ")
    return f"{where} is {first['input']!r}: {what}." if where else what
