"""Every error that drystone raises on purpose.

DrystoneError
├── DataError            sequences, fields and files (also a ValueError)
│   └── StreamInputError what came for streams that are predicted, stream by stream
├── LayoutError          layouts and the lengths they are given (also a ValueError)
├── PlanError            a plan that breaks the contract (also a ValueError)
├── StreamError          what is not known of a stream: its number of batches, its plan (also a TypeError)
├── ShapeError           arrays or masks that do not fit together (also a ValueError)
├── ConfigError          settings of a training run (also a ValueError)
├── RunError             run folders (also a ValueError)
│   └── RankError        processes that train together: one sees something else than the others
│       └── LostRankError  ... or is lost
├── NotFiniteError       a loss or a gradient that is NaN or infinite (also an ArithmeticError)
├── AuditError           a model or a pipeline that a check found wrong (also an AssertionError)
└── MissingExtraError    an optional library is not installed (also an ImportError)
"""

from collections.abc import Mapping
from functools import partial
from itertools import islice
from typing import Any


class DrystoneError(Exception):
    """The base of all errors that drystone raises on purpose."""


class DataError(DrystoneError, ValueError):
    """Sequences, fields or files that cannot be used as they are."""


class StreamInputError(DataError):
    """What came for streams cannot be used; none of them has moved, so that the others can be sent again.

    Args:
        reasons: by stream id, why it cannot go on.
        num_streams: how many streams came.

    Example:
        >>> print(StreamInputError({"pump-7": "it has 3 features; expected 8"}, num_streams=2))
        1 of 2 streams cannot go on: 'pump-7': it has 3 features; expected 8. No stream has moved.
    """

    MOST_NAMED = 8

    def __init__(self, reasons: Mapping[str, str], *, num_streams: int) -> None:
        self.reasons = dict(reasons)
        self._num_streams = num_streams
        named = [f"{name!r}: {reason}" for name, reason in islice(reasons.items(), self.MOST_NAMED)]
        more = len(reasons) - len(named)
        listed = "; ".join(named) + (f"; and {more} more, in reasons" if more else "")
        super().__init__(f"{len(reasons)} of {num_streams} streams cannot go on: {listed}. No stream has moved.")

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), num_streams=self._num_streams), (self.reasons,), self.__dict__  # with its notes


class LayoutError(DrystoneError, ValueError):
    """A layout that contradicts itself, or lengths that it cannot lay out."""


class PlanError(DrystoneError, ValueError):
    """A plan that breaks the contract."""


class StreamError(DrystoneError, TypeError):
    """A question that only sequences which are all there can answer."""


class ShapeError(DrystoneError, ValueError):
    """Arrays, masks or states whose shapes or types do not fit together."""


class ConfigError(DrystoneError, ValueError):
    """Settings of a training run that cannot be used."""


class RunError(DrystoneError, ValueError):
    """A run folder that is missing, in the way, or incomplete."""


class RankError(RunError):
    """Processes that train together do not go on: one sees something else than the others, or is lost.

    Args:
        words: what happened.
        is_told_elsewhere: whether another process tells the user why.
    """

    def __init__(self, words: str, *, is_told_elsewhere: bool = False) -> None:
        super().__init__(words)
        self.is_told_elsewhere = is_told_elsewhere


class LostRankError(RankError):
    """A process died, or does not answer; those that are started anew can go on from the last checkpoint."""


class NotFiniteError(DrystoneError, ArithmeticError):
    """A loss or a gradient that is NaN or infinite."""


class AuditError(DrystoneError, AssertionError):
    """A model or a pipeline that a check found wrong."""


class MissingExtraError(DrystoneError, ImportError):
    """An optional library that is not installed."""

    def __init__(self, extra: str, library: str) -> None:
        self._missing = extra, library
        super().__init__(f"{library} is not installed. Install it with: pip install 'drystone[{extra}]'")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._missing, self.__dict__  # with its notes
