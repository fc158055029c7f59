"""How all shards are read at the same time: by threads of this process, unless another way is named."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from tempfile import mkdtemp
from threading import Event
from typing import TypeVar

from drystone.readers.progress import progress
from drystone.readers.shards.convert import Converted, Reading, Watch, convert
from drystone.readers.shards.shard import Shard

MOST_WORKERS = 8  # each holds some pieces in memory
T = TypeVar("T")

Scan = Callable[[Sequence[Shard], Reading, Path, str], list[Converted]]
"""Reads shards, in their order, into folders of their own within a folder; the last argument says in words what is done."""


def scan(shards: Sequence[Shard], how: Reading, folder: Path, words: str) -> list[Converted]:
    """Reads shards into files, in the way that `scanned_by` names.

    Args:
        shards: which.
        how: they are read.
        folder: an empty one, for folders with their files.
        words: what is done, for a progress bar.

    Raises:
        DataError: a shard cannot be read, or its values make no sequences; the message names it.
    """
    return _way.get()(shards, how, folder, words)


@contextmanager
def scanned_by(way: Scan) -> Iterator[None]:
    """Lets all shards that are read within be read in this way."""
    token = _way.set(way)
    try:
        yield
    finally:
        _way.reset(token)


def in_parallel(shards: Sequence[Shard], work: Callable[[Shard, Event], T]) -> list[T]:
    """Works on all shards in threads, some at a time; the first error, or Ctrl-C, ends all."""
    stop = Event()
    with ThreadPoolExecutor(min(len(shards), os.cpu_count() or 1, MOST_WORKERS), "drystone-scan") as pool:
        futures = [pool.submit(work, shard, stop) for shard in shards]
        try:
            return [future.result() for future in futures]
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _by_threads(shards: Sequence[Shard], how: Reading, folder: Path, words: str) -> list[Converted]:
    with progress(words, sum(shard.num_bytes for shard in shards)) as tell:

        def work(shard: Shard, stop: Event) -> Converted:
            return convert(shard, how, Path(mkdtemp(dir=folder)), Watch(tell=tell, is_stopped=stop.is_set))

        return in_parallel(shards, work)


_way: ContextVar[Scan] = ContextVar("scan", default=_by_threads)
