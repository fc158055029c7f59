"""Random orders that are the same on every machine and in every version.

NumPy keeps the raw numbers of its bit generators stable, but not its shuffles. So the raw numbers of
Philox (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) are used here, and the
shuffle is our own: each item gets a random key, and the keys are sorted.
"""

from operator import index
from typing import SupportsIndex

import numpy as np
import numpy.typing as npt

from drystone import native
from drystone.core.errors import LayoutError

SEQUENCES, BATCHES, SPLIT, ROWS, DROPOUT, UNKNOWN = range(6)  # what a stream of random numbers is for
CHUNK = 1 << 20


def permutation(
    count: int, seed: int, epoch: int, purpose: int, groups: npt.NDArray[np.integer] | None = None
) -> npt.NDArray[np.int64]:
    """Returns a random order of 0 … count − 1, fixed by the other arguments.

    The high bits of each key are random and its low bits are the index, so that one sort of plain
    integers both shuffles and settles ties. With groups, the group stands above the random bits.

    Args:
        count: how many.
        seed: fixes the order, with epoch and purpose.
        epoch: counts passes over the data.
        purpose: one of the streams of random numbers above.
        groups: [count] numbers ≥ 0; a smaller one comes first, and the order is random within each.

    >>> permutation(5, seed=0, epoch=0, purpose=SEQUENCES)
    array([0, 2, 1, 4, 3])
    """
    keys = raw_numbers(count, seed, epoch, purpose)
    index_bits = max(count - 1, 1).bit_length()
    low_bits = np.uint64((1 << index_bits) - 1)
    group_bits = 0 if groups is None or count == 0 else int(groups.max()).bit_length()
    for start in range(0, count, CHUNK):  # in pieces, so that no temporary is as large as the keys
        piece = keys[start : start + CHUNK]
        piece >>= np.uint64(group_bits)
        piece &= ~low_bits
        piece |= np.arange(start, start + len(piece), dtype=np.uint64)
        if groups is not None and group_bits:
            piece |= groups[start : start + len(piece)].astype(np.uint64) << np.uint64(64 - group_bits)
    native.sort_keys(keys, index_bits)
    keys &= low_bits
    return keys.view(np.int64)


def check_seed(name: str, value: object) -> int:
    """Returns the value as a Python int, or says that it is no whole number in 0 … 2⁶⁴ − 1."""
    if type(value) is int and 0 <= value < 1 << 64:
        return value
    if isinstance(value, bool) or not isinstance(value, SupportsIndex) or not 0 <= index(value) < 1 << 64:
        raise LayoutError(f"{name} must be a whole number from 0 to 2**64 - 1; got {value!r}.")
    return index(value)


def raw_numbers(count: int, seed: int, epoch: int, purpose: int) -> npt.NDArray[np.uint64]:
    """Returns [count] random numbers of 64 bits, fixed by the other arguments."""
    key = np.array([check_seed("seed", seed), check_seed("epoch", epoch)], dtype=np.uint64)
    counter = np.array([0, 0, 0, purpose], dtype=np.uint64)
    raw = np.random.Philox(key=key, counter=counter).random_raw(count)
    return np.asarray(raw, dtype=np.uint64)
