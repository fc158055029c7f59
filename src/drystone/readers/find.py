"""The file or folder that a path or a name stands for."""

from pathlib import Path

from drystone import datasets
from drystone.core.errors import DataError
from drystone.readers.options import did_you_mean


def built_in_of(source: str | Path) -> datasets.Dataset | None:
    """Returns the built-in data set that the source names, unless a file of that name is there."""
    if str(source) in datasets.names() and not Path(source).is_file():
        return datasets.find(str(source))
    return None


def find(source: str | Path) -> Path:
    """Returns what the source names: a file on disk, else a built-in data set, else a folder.

    Raises:
        DataError: there is nothing of this name.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return path
    built_in = built_in_of(source)
    if built_in is not None:
        return datasets.path(built_in.name)
    if path.is_dir():
        return path
    if not path.parent.is_dir():
        raise DataError(f"there is no file {path}: the folder {path.parent} does not exist.")
    near = did_you_mean(path.name, [*sorted(other.name for other in path.parent.iterdir()), *datasets.names()])
    raise DataError(f"there is no file {path}.{near}")
