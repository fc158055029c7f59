"""Settings as TOML, with a comment each."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
import tomlkit.items
from pydantic import BaseModel

from drystone.core.errors import ConfigError
from drystone.train.tasks.known import goes_with


def read_toml(path: Path) -> dict[str, Any]:
    """Returns what a TOML file holds.

    Raises:
        ConfigError: there is no such file, or it is not valid TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from error


def as_toml(settings: type[BaseModel], task: str, values: Mapping[str, Any]) -> str:
    """Returns the settings of a task as TOML under headings, with a comment each; what has no value is a comment."""
    document, panel = tomlkit.document(), None
    for name, field in settings.model_fields.items():
        if task not in goes_with(name):
            continue
        about = field.json_schema_extra
        assert isinstance(about, dict)
        if about["panel"] != panel:
            panel = about["panel"]
            document.add(tomlkit.nl())
            document.add(tomlkit.comment(f"{panel}"))
        if values.get(name) is None:
            document.add(tomlkit.comment(f"{name} =  # {field.description}"))
        else:
            document.add(name, _item(values[name]).comment(field.description or ""))
    return tomlkit.dumps(document).lstrip()


def _item(value: Any) -> tomlkit.items.Item:
    """Returns a value on one line, so that what follows a table does not become part of it."""
    if not isinstance(value, Mapping):
        return tomlkit.item(value)
    table = tomlkit.inline_table()
    table.update(value)
    return table
