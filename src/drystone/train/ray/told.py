"""What workers tell the driver and those who come after them."""

from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


class Told:
    """Where workers leave what ends the training for good, so that Ray does not try again, and how often they have begun.

    It lives in an actor of its own on the driver's machine, which outlives workers.
    """

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    @classmethod
    def new(cls) -> "Told":
        """Makes the actor."""
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        return cls(ray.remote(_Box).options(num_cpus=0, scheduling_strategy=here).remote())

    def tell(self, error: Exception) -> None:
        """Leaves an error, unless there is one."""
        ray.get(self._actor.put.remote(error))

    def heard(self) -> Exception | None:
        """Returns the error that was left, if there is one."""
        return ray.get(self._actor.get.remote())

    def begins_first(self) -> bool:
        """Returns whether this is the first call, and so the first attempt; one rank of each attempt asks."""
        return ray.get(self._actor.begin.remote()) == 1


class _Box:
    """What the actor does."""

    def __init__(self) -> None:
        self._error: Exception | None = None
        self._attempts = 0

    def put(self, error: Exception) -> None:
        self._error = self._error or error

    def get(self) -> Exception | None:
        return self._error

    def begin(self) -> int:
        self._attempts += 1
        return self._attempts
