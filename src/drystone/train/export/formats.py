"""Which formats there are, and the one way into each."""

from pathlib import Path
from typing import Any

from drystone.core.errors import ConfigError
from drystone.core.storage import check_free
from drystone.train.export.format import Format, Source
from drystone.train.export.to_keras import KERAS
from drystone.train.export.to_onnx import ONNX
from drystone.train.export.to_torch import TORCH

FORMATS = {found.name: found for found in (KERAS, TORCH, ONNX)}


def format_of(name: str) -> Format:
    """Returns the format of this name.

    Raises:
        ConfigError: there is none.
    """
    if name not in FORMATS:
        raise ConfigError(f"to must be one of {', '.join(map(repr, FORMATS))}; got {name!r}.")
    return FORMATS[name]


def export(source: Source, path: Path, *, to: str, overwrite: bool) -> dict[str, Any]:
    """Writes a trained model in a format, whole or not at all, and returns what it says of itself.

    Args:
        source: the parts of a run.
        path: what to write; ends as the format does.
        to: the name of the format.
        overwrite: whether what is there may be replaced.

    Raises:
        ConfigError: another format or ending, or a run of another task.
        DataError: something is in the way, or there is no such folder.
        RunError: a feature that float32 cannot hold well enough, where the format needs that.
        MissingExtraError: a library that the format needs is not installed.
    """
    form = format_of(to)
    form.check_name(path)
    check_free(path, overwrite=overwrite)
    source.classifier  # noqa: B018  (before anything is loaded or written)
    form.load()
    return form.write(source, path)
