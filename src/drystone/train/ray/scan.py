"""The first read of several files, spread over a Ray cluster by Ray Data."""

import pickle
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import ray.data

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.readers.read import read as read_here
from drystone.readers.shards.cache import VARIABLE
from drystone.readers.shards.convert import Converted, Reading, Watch, convert
from drystone.readers.shards.scan import scanned_by
from drystone.readers.shards.shard import Shard


def read(source: Any, **options: Any) -> Sequences:
    """Reads sequences as `drystone.read` does; shards that are read for the first time are read by Ray's workers.

    Lengths and values go into a store on a disk that all machines of the cluster share: beside the data, or where the
    environment variable DRYSTONE_CACHE says. From then on `drystone.read` opens it too. To train on them, give `fit` the
    source, and not what was read: memory-mapped sequences do not go through Ray's object store.

    Args:
        source: several Parquet or Arrow files, or whatever `drystone.read` takes.
        **options: those of `drystone.read`: sequence_id="id", order_by="time", ...

    Raises:
        DataError: as `drystone.read`; or a worker does not see the folder of the store.

    Example:
        >>> from drystone.train.ray import read  # doctest: +SKIP
        >>> read("/shared/data/*.parquet").lengths.sum()  # doctest: +SKIP
    """
    with scanned_by(_by_workers):
        return read_here(source, **options)


def _by_workers(shards: Sequence[Shard], how: Reading, folder: Path, words: str) -> list[Converted]:
    """Reads each shard in a task of its own; Ray Data shows how far they are."""
    rows = [{"number": number, "shard": pickle.dumps(shard)} for number, shard in enumerate(shards)]
    asked = ray.data.from_items(rows, override_num_blocks=len(rows))
    asked.set_name(words)
    answers = {
        row["number"]: pickle.loads(row["found"])  # noqa: S301  (what the workers made of it)
        for row in asked.map(partial(_converted, how=how, folder=folder)).iter_rows()
    }  # all of them, also where one is an error: nobody writes to the folder after that
    found = [answers[number] for number in range(len(rows))]
    for answer in found:
        if isinstance(answer, DataError):
            raise answer
    return found


def _converted(row: Mapping[str, Any], how: Reading, folder: Path) -> dict[str, Any]:
    """Returns what a shard became, or the error that it makes: as it is, without what Ray would say around it."""
    shard = pickle.loads(row["shard"])  # noqa: S301  (of `_by_workers`)
    found: Converted | DataError
    try:
        _check_seen(folder, shard)
        found = convert(shard, how, Path(mkdtemp(dir=folder)), Watch())
    except DataError as error:
        found = error
    return {"number": row["number"], "found": pickle.dumps(found)}


def _check_seen(folder: Path, shard: Shard) -> None:
    if not folder.is_dir():
        raise DataError(
            f"a worker of Ray does not see {folder}, where {shard.name} is read to: name a folder on a disk that all "
            f"machines share in the environment variable {VARIABLE}."
        )
