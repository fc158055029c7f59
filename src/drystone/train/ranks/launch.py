"""How processes find each other: torchrun says in the environment who they are."""

import atexit
import os
import warnings
from collections.abc import Mapping
from datetime import timedelta
from itertools import count

import torch
from torch import distributed
from torch.distributed.distributed_c10d import PrefixStore, Store, _get_default_store
from torch.distributed.rendezvous import rendezvous

from drystone.core.errors import ConfigError, RankError
from drystone.core.loader import Loader
from drystone.train.ranks.ranks import Ranks
from drystone.train.ranks.roll import Roll

TIMEOUT = "DRYSTONE_RANKS_TIMEOUT"
TIMEOUT_SECONDS = 1800.0
NEEDED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_joined: Ranks | None = None
_times = count()  # that this process joined the others; all join equally often


def current_ranks() -> Ranks:
    """Returns the ranks that this process is one of: those that torchrun started, or those of its process group.

    The first call joins them, and waits until all have come.

    Raises:
        RankError: they do not come together within the time that DRYSTONE_RANKS_TIMEOUT says (in seconds).
        ConfigError: that is no number of seconds.
    """
    global _joined  # noqa: PLW0603  (a process belongs to one group)
    if not distributed.is_initialized():
        _joined = _join() if is_one_of_many(os.environ) else None
    elif _joined is None:
        _joined = _found()
    return _joined or Ranks()


def claims_to_speak() -> bool:
    """Returns whether this process is the first of all to ask, and so tells the user what all came to.

    Raises:
        RankError: they never came together.
    """
    return (_joined or current_ranks()).claims_to_speak()


def ranks_of(loader: Loader) -> Ranks:
    """Returns the ranks that a loader is shared out among; of a whole one, this process alone.

    Raises:
        ConfigError: the loader is not that of this process.
        RankError: as `current_ranks`.
    """
    if loader.num_ranks > 1:
        ranks = current_ranks()
        ranks.check_same(loader.rank, loader.num_ranks)
        return ranks
    if distributed.is_initialized() or is_one_of_many(os.environ):
        ranks = current_ranks()
        if not ranks.is_alone:
            warnings.warn(
                f"this process is one of {ranks.num_ranks}, and its loader has all rows, so each of them trains a model of "
                f"its own. To train one together: Loader(..., rank={ranks.rank}, num_ranks={ranks.num_ranks}).",
                stacklevel=3,
            )
    return Ranks()


def is_one_of_many(environment: Mapping[str, str]) -> bool:
    """Returns whether a launcher such as torchrun started several processes, of which this is one."""
    return all(name in environment for name in NEEDED) and int(environment["WORLD_SIZE"]) > 1


def timeout_in(environment: Mapping[str, str]) -> timedelta:
    """Returns how long a rank is waited for before it counts as lost.

    Raises:
        ConfigError: the environment says no number of seconds.
    """
    said = environment.get(TIMEOUT, TIMEOUT_SECONDS)
    try:
        found = timedelta(seconds=float(said))
    except (ValueError, OverflowError):
        found = timedelta(0)
    if found <= timedelta(0):
        raise ConfigError(f"{TIMEOUT} is {said!r}; expected a number of seconds above 0.")
    return found


def _join() -> Ranks:
    timeout = timeout_in(os.environ)
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    try:
        shared, rank, num_ranks = next(iter(rendezvous("env://", timeout=timeout)))
        # Else a rank that joins again would find where the others were the last time.
        store = PrefixStore(f"drystone/{next(_times)}", shared)
        distributed.init_process_group(backend, store=store, rank=rank, world_size=num_ranks, timeout=timeout)
    except RuntimeError as error:
        raise RankError(
            f"the {os.environ['WORLD_SIZE']} processes did not come together within {timeout.total_seconds():,.0f} s: "
            f"{str(error).splitlines()[0]}"
        ) from error
    atexit.register(_leave)
    return _of_group(store, timeout)


def _found() -> Ranks:
    """Returns the ranks of a process group that someone else made."""
    store = _get_default_store()
    return _of_group(store, timeout_in(os.environ))


def _of_group(store: Store, timeout: timedelta) -> Ranks:
    rank, num_ranks = distributed.get_rank(), distributed.get_world_size()
    if num_ranks == 1:
        return Ranks()
    roll = Roll(PrefixStore("roll", store), rank, num_ranks, timeout)
    has_no_cpu = distributed.get_backend() == distributed.Backend.NCCL
    group = distributed.new_group(backend="gloo", timeout=timeout) if has_no_cpu else None
    return Ranks(rank, num_ranks, roll=roll, group=group)


def _leave() -> None:
    if distributed.is_initialized():
        distributed.destroy_process_group()
