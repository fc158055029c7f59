"""Errors that training again would not mend: told to the driver, so that Ray does not try again."""

from typing import Any

import ray


class Told:
    """Where workers leave what ends the training for good, and where the driver finds it.

    It lives in an actor of its own, which outlives workers.
    """

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    @classmethod
    def new(cls) -> "Told":
        """Makes the actor."""
        return cls(ray.remote(num_cpus=0)(_Box).remote())

    def tell(self, error: Exception) -> None:
        """Leaves an error, unless there is one."""
        ray.get(self._actor.put.remote(error))

    def heard(self) -> Exception | None:
        """Returns the error that was left, if there is one."""
        return ray.get(self._actor.get.remote())


class _Box:
    """What the actor does."""

    def __init__(self) -> None:
        self._error: Exception | None = None

    def put(self, error: Exception) -> None:
        self._error = self._error or error

    def get(self) -> Exception | None:
        return self._error
