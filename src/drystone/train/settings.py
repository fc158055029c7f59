"""The settings of a training run: checked when made, and written to the run folder as TOML."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import tomlkit
import tomlkit.exceptions
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from drystone.core.errors import ConfigError

LayoutName = Literal["padded", "bucketed", "packed"]
Pooling = Literal["last", "mean", "max", "mean+max"]


class Settings(BaseModel):
    """Everything that decides a run, but for the data itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    target: str = Field(description="the field to predict")
    features: tuple[str, ...] | None = Field(None, description="input fields; by default all numbers a step")
    sequence_id: str | None = Field(None, description="the column that tells sequences apart, one step a row")
    order_by: str | None = Field(None, description="the column that orders the steps of a sequence")
    split_column: str | None = Field(None, description="a field that says train, valid or test of each sequence")
    valid_fraction: float = Field(0.0, ge=0, lt=1, description="fraction of sequences for validation")
    test_fraction: float = Field(0.2, ge=0, lt=1, description="fraction of sequences for the test")

    layout: LayoutName = Field("padded", description="how sequences are laid out")
    batch_size: int | None = Field(None, ge=1, description="sequences a batch (32 unless cells or rows are given)")
    cells: int | None = Field(None, ge=1, description="bucketed: the most cells a batch may have, padding included")
    num_buckets: int | None = Field(None, ge=1, description="bucketed: how many buckets (8)")
    rows: int | None = Field(None, ge=1, description="packed: rows of a batch, with steps")
    steps: int | None = Field(None, ge=1, description="packed: steps of a row")

    hidden_size: int = Field(128, ge=1, description="units of a layer and direction")
    num_layers: int = Field(1, ge=1, description="LSTM layers")
    bidirectional: bool = Field(True, description="whether a second LSTM reads backward")
    pooling: Pooling = Field("mean", description="how the outputs of a sequence become one vector")
    dropout: float = Field(0.2, ge=0, lt=1, description="fraction dropped between layers, in training")
    head_dropout: float = Field(0.5, ge=0, lt=1, description="fraction dropped before the head, in training")
    noise: float = Field(0.1, ge=0, description="standard deviation of noise on standardised inputs, in training")

    epochs: int = Field(100, ge=1, description="passes over the training part")
    learning_rate: float = Field(0.005, gt=0, description="the highest of the one-cycle schedule")
    weight_decay: float = Field(0.01, ge=0, description="of AdamW")
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="share of each target spread over all classes")
    gradient_clip: float = Field(1.0, gt=0, description="the largest norm of a gradient")
    seed: int = Field(0, ge=0, lt=2**63, description="of the split, the weights and the order")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, ...")

    @classmethod
    def of(cls, **values: Any) -> "Settings":
        """Makes settings; what is not given takes its default.

        Raises:
            ConfigError: an unknown name, or a value out of range; the message names it.
        """
        for name in values:
            if name not in cls.model_fields:
                near = get_close_matches(name, cls.model_fields, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else f" The settings are: {', '.join(cls.model_fields)}."
                raise ConfigError(f"there is no setting {name!r}.{hint}")
        if isinstance(values.get("features"), str):
            values["features"] = (values["features"],)
        try:
            return cls(**values)
        except ValidationError as error:
            raise ConfigError(_in_words(error)) from None

    @classmethod
    def load(cls, path: Path) -> "Settings":
        """Reads settings that `save` wrote."""
        try:
            return cls.of(**tomlkit.parse(path.read_text(encoding="utf-8")).unwrap())
        except (tomlkit.exceptions.ParseError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is not valid TOML: {error}") from error

    def save(self, path: Path) -> None:
        """Writes the settings as TOML; each with a comment that says what it is."""
        document = tomlkit.document()
        for name, field in type(self).model_fields.items():
            value = self.model_dump(mode="json")[name]
            if value is None:
                document.add(tomlkit.comment(f"{name} = (not set)  # {field.description}"))
            else:
                document.add(name, tomlkit.item(value).comment(field.description or ""))
        path.write_text(tomlkit.dumps(document), encoding="utf-8")

    @model_validator(mode="after")
    def _check_layout(self) -> "Settings":
        belongs = {"cells": "bucketed", "num_buckets": "bucketed", "rows": "packed", "steps": "packed"}
        for name, layout in belongs.items():
            if getattr(self, name) is not None and self.layout != layout:
                raise ValueError(f"{name} goes with layout {layout}, not with {self.layout}.")
        if self.batch_size is not None and (self.cells is not None or self.rows is not None):
            raise ValueError(f"give either batch_size or {'cells' if self.cells is not None else 'rows and steps'}.")
        if self.rows is not None and self.steps is None:
            raise ValueError("rows needs steps too.")
        return self

    @model_validator(mode="after")
    def _check_split(self) -> "Settings":
        if self.valid_fraction + self.test_fraction >= 1:
            raise ValueError("valid_fraction and test_fraction together must leave some sequences to train on.")
        return self


def _in_words(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    what = first["msg"].removeprefix("Value error, ")
    return f"{where} is {first['input']!r}: {what}." if where else what
