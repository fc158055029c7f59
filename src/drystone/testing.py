"""Checks for people's own tests."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import fields, is_dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Leaves = dict[str, npt.NDArray[Any]]


class Resumable(Protocol):
    """An iterable whose position can be saved and set; one pass over it is one epoch."""

    def __iter__(self) -> Iterator[Any]: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any], /) -> Any: ...


def check_resume(make_loader: Callable[[], Resumable]) -> None:
    """Proves that a loader continues from every position as if it had never stopped.

    Its position is saved before the first batch of an epoch, after each, and after its end. Each is restored into a
    fresh loader, and the rest of the epoch and all of the next are compared, in all that the batches hold. It
    takes time that grows with the square of the number of batches, so give it a few dozen.

    Args:
        make_loader: returns a fresh loader each time: a `drystone.Loader`, or any iterable with `state_dict()` and
            `load_state_dict(state)`. Its batches may hold arrays, tensors on the CPU and plain values, in
            dataclasses, dicts, lists and tuples.

    Raises:
        AssertionError: a batch differs, is missing or is one too many, or a saved state changed later on; the
            message names the first such place.

    Example:
        >>> import drystone as ds
        >>> seqs = ds.Sequences.from_arrays(per_step={"x": [[1, 2, 3], [4], [5, 6]]})
        >>> check_resume(lambda: ds.Loader(seqs, ds.Padded(batch_size=2)))
    """
    loader = make_loader()
    states, epoch = [loader.state_dict()], list[Leaves]()
    kept = [deepcopy(states[0])]
    for batch in loader:
        epoch.append(_leaves(batch))
        states.append(loader.state_dict())
        kept.append(deepcopy(states[-1]))
    states.append(loader.state_dict())
    kept.append(deepcopy(states[-1]))
    following = [_leaves(batch) for batch in loader]
    for number, (state, copy) in enumerate(zip(states, kept, strict=True)):
        place = f"after batch {number - 1}" if 0 < number <= len(epoch) else "after the epoch" if number else "at first"
        _compare(f"the state saved {place} changed later on", "state", _leaves(copy), _leaves(state))
        resumed = make_loader()
        resumed.load_state_dict(state)
        words = f"restored from the state saved {place}"
        if number <= len(epoch):
            _compare_pass(f"{words}, this epoch", number, epoch[number:], resumed)
        _compare_pass(f"{words}, the next epoch", 0, following, resumed)


def _compare_pass(words: str, first: int, expected: list[Leaves], found: Iterable[Any]) -> None:
    count = 0
    for batch in found:
        if count == len(expected):
            raise AssertionError(f"{words}: there is a batch {first + count}, past the last of {first + count}.")
        _compare(words, f"batch {first + count}", expected[count], _leaves(batch))
        count += 1
    if count < len(expected):
        raise AssertionError(f"{words}: it ended after batch {first + count - 1} of {first + len(expected)}.")


def _compare(words: str, where: str, expected: Leaves, found: Leaves) -> None:
    if list(expected) != list(found):
        names = sorted(expected.keys() ^ found.keys()) or list(found)
        raise AssertionError(f"{words}: {where}{names[0]} is missing, one too many, or in another order.")
    for name, array in expected.items():
        other = found[name]
        if array.shape != other.shape or array.dtype != other.dtype:
            raise AssertionError(
                f"{words}: {where}{name} is {other.dtype} of shape {other.shape}; "
                f"expected {array.dtype} of shape {array.shape}."
            )
        differs = np.asarray((array != other) & ~((array != array) & (other != other)))  # noqa: PLR0124  NaN equals NaN
        if differs.any():
            at = tuple(int(index) for index in np.argwhere(differs)[0])
            spot = f"{name}{list(at)}" if at else name
            raise AssertionError(f"{words}: {where}{spot} is {other[at]!r}; expected {array[at]!r}.")


def _leaves(value: Any) -> Leaves:
    """Returns copies of all arrays and plain values in it, each under the words for its place."""
    return dict(_walk("", value))


def _walk(name: str, value: Any) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _walk(f"{name}.{field.name}", getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _walk(f"{name}[{key!r}]", item)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _walk(f"{name}[{index}]", item)
    elif isinstance(value, bytes):
        yield name, np.frombuffer(value, dtype=np.uint8)
    else:
        yield name, np.array(value, copy=True)
