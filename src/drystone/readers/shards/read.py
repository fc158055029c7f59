"""Several files, read as one: once, in parallel, into a store that is memory-mapped."""

from collections.abc import Sequence
from dataclasses import astuple
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from drystone.core.sequences import Sequences
from drystone.readers.guard import reading
from drystone.readers.options import Options
from drystone.readers.progress import progress
from drystone.readers.shards.cache import opened_or_made
from drystone.readers.shards.convert import Reading
from drystone.readers.shards.find import Shards, find_shards
from drystone.readers.shards.join import join
from drystone.readers.shards.merge import merged
from drystone.readers.shards.pieces import schema_of
from drystone.readers.shards.scan import in_parallel, scan
from drystone.readers.shards.schema import common_types
from drystone.readers.shards.store import Key, write_note


def read_shards(source: str | Path | Sequence[str | Path], options: Options) -> Sequences:
    """Reads the files of a folder, a pattern, a list or an address as one table, in their order.

    The first time, all are read once, in parallel, into files of columns; from then on these are memory-mapped. They lie
    beside the data, in `.drystone`, where that can be written, else in the user's folder for caches; or where the
    environment variable DRYSTONE_CACHE says. Files that changed are read again.

    Args:
        source: files of Parquet or Arrow.
        options: how they are read.

    Raises:
        DataError: a shard is missing, damaged, or has other columns than the first; the message names it.
    """
    shards = find_shards(source)
    name: Key = [*shards.identity, repr(astuple(options))]
    made_of: Key = [*name, *([shard.path, shard.num_bytes, shard.version] for shard in shards.members)]
    with reading(shards.words):
        return opened_or_made(shards.folder, name, made_of, partial(_make, shards, options, made_of))


def read_folder(folder: Path, options: Options) -> Sequences:
    """Reads the shards of a folder: see `read_shards`."""
    return read_shards(folder, options)


def _make(shards: Shards, options: Options, made_of: Key, folder: Path) -> None:
    members = shards.members
    schemas = in_parallel(members, lambda shard, _stop: schema_of(shard))
    how = Reading(types=common_types(dict(zip(members, schemas, strict=True))), options=options)
    with TemporaryDirectory(dir=folder) as pieces:
        found = scan(members, how, Path(pieces), f"reading {shards.words}, once")
        with progress("putting shards together", sum(path.stat().st_size for path in Path(pieces).glob("*/*"))) as tell:
            about = join(found, folder, tell)
    if how.rows_are_steps:
        about = merged(about, options, folder)
    write_note(about, made_of, folder)
