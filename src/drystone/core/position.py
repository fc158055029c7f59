"""Saved positions: what they belong to, so that continuing on something else is refused in words, and their counts."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
from drystone.core.lengths import Lengths

STATE_VERSION = 2


def fingerprint_of(lengths: Lengths, **others: npt.NDArray[Any]) -> dict[str, str]:
    """Returns what tells sequences from others, as far as a plan depends on them.

    Args:
        lengths: [sequences].
        others: more arrays that the plan depends on, each under the words for it.

    >>> fingerprint_of(np.array([3, 1]))
    {'is': '2 sequences with 4 steps', 'lengths': 'c8c657ddd3eb1ff8'}
    """
    words = f"{len(lengths):,} sequences with {int(lengths.sum()):,} steps"
    arrays = {"lengths": lengths, **others}
    return {"is": words} | {name: _hash(array) for name, array in arrays.items()}


def source_of(data: Mapping[str, str], layout: object, seed: int) -> dict[str, Any]:
    """Returns what a position belongs to: the part of it that stays the same at every batch.

    Args:
        data: what tells the data from other data, as `fingerprint_of` makes it.
        layout: how it is laid out.
        seed: of the random orders.
    """
    return {"version": STATE_VERSION, "layout": repr(layout), "seed": seed, "data": dict(data)}


def refuse_other(saved: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raises DataError where a saved position belongs to another loader; the message names all that differs.

    Args:
        saved: a saved position, which may be damaged.
        now: `source_of(...)`, what positions belong to here.
    """
    if saved.get("version") != now["version"]:
        raise DataError(
            f"the saved position is of version {saved.get('version')!r}; this drystone reads version {now['version']}."
        )
    if not isinstance(saved.get("data"), Mapping) or "layout" not in saved or "seed" not in saved:
        raise DataError("the saved position is damaged: it says nothing of its data, layout or seed.")
    differences = [_in_words(key, saved[key], now[key]) for key in ("layout", "seed", "data") if saved[key] != now[key]]
    if differences:
        there, here = zip(*differences, strict=True)
        raise DataError(f"the saved position is of {_listed(there)}; expected {_listed(here)}.")


def check_count(state: Mapping[str, Any], key: str) -> int:
    """Returns a whole number ≥ 0 out of a saved position, or says that it is damaged."""
    value = state.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise DataError(f"the saved position is damaged: {key} is {value!r}; expected a whole number of at least 0.")
    return value


def check_batches(state: Mapping[str, Any], epoch: int, num_batches: int) -> int:
    """Returns how many batches of the epoch were delivered, or says that it has fewer."""
    batches = check_count(state, "batches")
    if batches > num_batches:
        raise DataError(f"the saved position is batch {batches}; epoch {epoch} has {num_batches}.")
    return batches


def _in_words(key: str, saved: Any, now: Any) -> tuple[str, str]:
    if key == "layout":
        return str(saved), str(now)
    if key == "seed":
        return f"seed {saved}", f"seed {now}"
    there, here = cast("Mapping[str, str]", saved), cast("Mapping[str, str]", now)
    if there.get("is") != here["is"]:
        return str(there.get("is")), here["is"]
    other = [name for name in sorted(there.keys() | here.keys()) if there.get(name) != here.get(name)]
    return here["is"], f"as many, of other {_listed(other)}"


def _listed(words: "tuple[str, ...] | list[str]") -> str:
    return " and ".join(words)


def _hash(array: npt.NDArray[Any]) -> str:
    return blake2b(np.ascontiguousarray(array).tobytes(), digest_size=8).hexdigest()
