"""Which units a sequence keeps under variational dropout: the same on every machine, rank and device."""

import numpy as np
import numpy.typing as npt

from drystone.core.errors import LayoutError
from drystone.core.shuffle import DROPOUT, raw_numbers

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]

WORD = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)
MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
KEY_STEPS = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
ROUNDS = 10


def kept_units(sequences: Ints, layer: int, num_units: int, *, fraction: float, seed: int, epoch: int) -> Bools:
    """Returns [sequences, units]: which units of the inputs of a layer a sequence keeps in an epoch.

    Each entry depends on nothing but its own (seed, epoch, sequence, layer, unit), so a sequence keeps its units
    wherever it lies: in any batch, on any row and rank. A unit is dropped where a random word of 32 bits is less
    than `fraction` × 2³², rounded: all entries are independent, and dropped with that probability.

    Args:
        sequences: [sequences] their numbers, ≥ 0.
        layer: which layer, from 0.
        num_units: units to decide on.
        fraction: the probability of dropping a unit, from 0 to less than 1.
        seed: fixes the choice, with the epoch.
        epoch: counts passes over the data.

    Raises:
        LayoutError: a seed or an epoch that is no whole number in 0 … 2⁶⁴ − 1.

    Example:
        >>> kept_units(np.array([7, 3, 7]), 0, 6, fraction=0.5, seed=0, epoch=0).astype(int)
        array([[0, 0, 0, 1, 0, 1],
               [0, 1, 1, 0, 0, 0],
               [0, 0, 0, 1, 0, 1]])
    """
    if len(sequences) and sequences.min() < 0:
        raise LayoutError(f"sequences are numbered from 0; got {sequences.min()}.")
    key = raw_numbers(1, seed, epoch, DROPOUT)[0]
    number = sequences.astype(np.uint64)[:, None]
    block = np.arange(-(-num_units // 4), dtype=np.uint64)[None]
    counter = block, np.full_like(block, layer), number & LOW, number >> WORD
    words = np.stack(philox(counter, (key & LOW, key >> WORD)), axis=-1).reshape(len(sequences), 4 * block.size)
    return words[:, :num_units] >= np.uint64(round(fraction * (1 << 32)))


def philox(
    counter: tuple[Words, Words, Words, Words], key: tuple[np.uint64, np.uint64]
) -> tuple[Words, Words, Words, Words]:
    """Returns four random words for each counter: Philox4x32-10.

    Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. All words have 32 bits and are kept in
    64, so that no product overflows; shapes broadcast.
    """
    a, b, c, d = (np.ascontiguousarray(word) for word in np.broadcast_arrays(*counter))
    for number in range(ROUNDS):
        one, two = ((part + np.uint64(number) * step) & LOW for part, step in zip(key, KEY_STEPS, strict=True))
        first, second = a * MULTIPLIERS[0], c * MULTIPLIERS[1]
        a, b, c, d = (second >> WORD) ^ b ^ one, second & LOW, (first >> WORD) ^ d ^ two, first & LOW
    return a, b, c, d
