"""One setting, and what the parts of `Settings` have in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

DATA, LAYOUT, MODEL, TRAINING, OUTPUT = "Data", "Layout of batches", "Model", "Training", "Output"


class SomeSettings(BaseModel):
    """Settings of one kind, which `Settings` is put together of."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


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
