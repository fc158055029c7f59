"""The processes of one training: where they meet, and what they tell each other."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, distributed

from drystone.core.errors import ConfigError, LostRankError, RankError
from drystone.torch.carried_state import each_tensor
from drystone.train.ranks.roll import Roll

T = TypeVar("T")
Floats = npt.NDArray[np.float64]


class Ranks:
    """The processes that train one model together; one alone is a training like any other.

    Every rank calls the same methods in the same order. Whatever they decide by must be the same on all of them: sums
    over all, what the first one says, and what they heard at their last meeting.

    Args:
        rank, num_ranks: which one this is, of how many.
        roll: where lost ones are found out; None for one alone.
        group: of `torch.distributed`, that adds up tensors on the CPU; None for the default one.
        waited_seconds: how long this rank has waited for the others at meetings.

    Example:
        >>> alone = Ranks()
        >>> alone.is_first, alone.sums(np.array([2.0, 3.0])), alone.gathered("a")
        (True, array([2., 3.]), ['a'])
    """

    def __init__(self, rank: int = 0, num_ranks: int = 1, *, roll: Roll | None = None, group: Any = None) -> None:
        self.rank = rank
        self.num_ranks = num_ranks
        self.waited_seconds = 0.0
        self.asks: Callable[[], bool] = lambda: False
        """Says whether this rank asks all to stop."""
        self._roll = roll
        self._group = group
        self._someone_asked, self._clock = False, perf_counter()

    @property
    def is_first(self) -> bool:
        """Whether this is rank 0, which writes files and speaks to the user."""
        return self.rank == 0

    @property
    def is_alone(self) -> bool:
        """Whether there is no other rank."""
        return self.num_ranks == 1

    @property
    def someone_asks(self) -> bool:
        """Whether some rank asked all to stop when they last met; of one alone, whether it does now."""
        return self.asks() if self.is_alone else self._someone_asked

    @property
    def now(self) -> float:
        """Seconds on the clock of rank 0 when they last met; of one alone, now."""
        return perf_counter() if self.is_alone else self._clock

    def meet(self) -> None:
        """Waits for all, hears whether someone asks to stop, and reads the clock of rank 0."""
        self.sums(np.zeros(0))

    def sums(self, numbers: Floats) -> Floats:
        """Returns each number summed over all ranks, float64 on the host: a meeting."""
        if self.is_alone:
            return numbers
        clock = perf_counter() if self.is_first else 0.0
        found = torch.from_numpy(np.append(numbers, (self.asks(), clock)))
        with self._waiting():
            distributed.all_reduce(found, group=self._group)
        *_, num_asking, self._clock = found.tolist()
        self._someone_asked = num_asking > 0
        return found[:-2].numpy()

    def summed(self, tensor: Tensor) -> Tensor:
        """Returns a tensor summed over all ranks, in its place and on its device; of one alone, as it is."""
        if not self.is_alone:
            with self._in_touch():
                distributed.all_reduce(tensor)
        return tensor

    def made_equal(self, tensors: Sequence[Tensor]) -> None:
        """Gives tensors the values that they have on rank 0."""
        if not self.is_alone:
            with torch.no_grad():
                for tensor, first in zip(tensors, self._from_first(_on_host(list(tensors))), strict=True):
                    tensor.copy_(first)

    def gathered(self, value: Any) -> list[Any]:
        """Returns what each rank gave, by rank, on all of them."""
        if self.is_alone:
            return [value]
        found: list[Any] = [None] * self.num_ranks
        with self._waiting():
            distributed.all_gather_object(found, _on_host(value), group=self._group)
        return found

    def gathered_by_first(self, value: Any) -> list[Any]:
        """Returns what each rank gave, by rank, on rank 0; nothing on the others."""
        if self.is_alone:
            return [value]
        found: list[Any] = [None] * self.num_ranks if self.is_first else []
        with self._waiting():
            distributed.gather_object(_on_host(value), found if self.is_first else None, dst=0, group=self._group)
        return found

    def by_first(self, make: Callable[[], T]) -> T:
        """Returns what a function returns on rank 0, which alone calls it; what it raises ends it on all of them."""
        with self.together():
            value = make() if self.is_first else None
        return self._from_first(value)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Waits for all at the end; what one of them raises inside, ends it on all.

        Raises:
            RankError: another rank raised something, which says why.
        """
        error: Exception | None = None
        try:
            yield
        except RankError:
            raise
        except Exception as caught:
            if self.is_alone:
                raise
            error = caught
        if self.is_alone:
            return
        failed = [rank for rank, has_failed in enumerate(self.gathered(error is not None)) if has_failed]
        if error is not None:
            if len(failed) < self.num_ranks:
                error.add_note(f"It is rank {self.rank} of {self.num_ranks} that says so.")
            raise error
        if failed:
            raise RankError(f"rank {failed[0]} of {self.num_ranks} stopped, and says why.", is_told_elsewhere=True)

    def claims_to_speak(self) -> bool:
        """Returns whether this rank is the first to ask: so one of them tells the user what all came to."""
        return self._roll is None or self._roll.claims_to_speak()

    def leave(self) -> None:
        """Leaves the others, who notice at their next meeting."""
        if not self.is_alone and distributed.is_initialized():
            distributed.destroy_process_group()

    def check_same(self, loader_rank: int, loader_num_ranks: int) -> None:
        """Raises ConfigError where a loader is not that of this rank."""
        if (loader_rank, loader_num_ranks) != (self.rank, self.num_ranks):
            raise ConfigError(
                f"this process is rank {self.rank} of {self.num_ranks}, and its loader that of rank {loader_rank} of "
                f"{loader_num_ranks}: make it with Loader(..., rank={self.rank}, num_ranks={self.num_ranks})."
            )

    def _from_first(self, value: T | None) -> T:
        found = [value]
        if not self.is_alone:
            with self._waiting():
                distributed.broadcast_object_list(found, src=0, group=self._group)
        return found[0]  # pyright: ignore[reportReturnType]

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        begun = perf_counter()
        with self._in_touch():
            yield
        self.waited_seconds += perf_counter() - begun

    @contextmanager
    def _in_touch(self) -> Iterator[None]:
        """Says in words who is lost, where the connection breaks or nobody answers for too long."""
        try:
            yield
        except RuntimeError as error:
            assert self._roll is not None
            raise LostRankError(self._roll.words_for_lost()) from error


def _on_host(value: Any) -> Any:
    return each_tensor(value, Tensor.cpu)
