"""Where the data of a run lie, as workers on other machines find them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import ray

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.readers.find import built_in_of
from drystone.readers.formats import folder_reader
from drystone.readers.shards import is_of_shards as is_of_several
from drystone.readers.shards import read_folder
from drystone.readers.shards.find import ADDRESS
from drystone.train.data import Sources, source_of
from drystone.train.settings import Settings


def found(sources: Sources, settings: Settings | None = None) -> Sources:
    """Returns sources with whole paths, since workers run in folders of their own.

    Args:
        sources: what is given.
        settings: of a run that goes on, which say where the rest lies.
    """
    parts = sources.by_part()
    if settings is not None:
        parts = {part: source_of(given, part, settings) for part, given in parts.items()}
    return Sources(**{part: _whole(source) for part, source in parts.items()})


def shared(sources: Sources) -> Sources:
    """Returns sources with all that is in memory in Ray's object store.

    Raises:
        DataError: sequences are memory-mapped, and may be larger than memory.
    """
    return replace(
        sources,
        **{part: source if is_named(source) else ray.put(_held(source)) for part, source in sources.by_part().items()},
    )


def here(sources: Sources) -> Sources:
    """Returns sources with all that is in Ray's object store in memory, on a worker."""
    return replace(
        sources,
        **{
            part: ray.get(source) if isinstance(source, ray.ObjectRef) else source
            for part, source in sources.by_part().items()
        },
    )


def is_of_shards(source: Any) -> bool:
    """Whether a source is several files, which are read once into a store."""
    if not isinstance(source, (str, Path)) or not Path(source).is_dir():
        return is_of_several(source)
    try:
        return folder_reader(Path(source)) is read_folder
    except DataError:
        return False


def is_named(source: Any) -> bool:
    """Whether a source says where data lie, and holds none."""
    return source is None or isinstance(source, (str, Path)) or is_of_several(source)


def _held(source: Any) -> Any:
    if isinstance(source, Sequences) and any(column.is_mapped for column in source.step_columns.values()):
        raise DataError(
            "these sequences are memory-mapped, and all of their values would go through Ray's object store: give the path "
            "that they were read from."
        )
    return source


def _whole(source: Any) -> Any:
    if isinstance(source, (list, tuple)) and is_of_several(source):
        return [_whole(each) for each in source]
    if not isinstance(source, (str, Path)) or ADDRESS in str(source) or built_in_of(source) is not None:
        return source
    return str(Path(source).expanduser().absolute())
