"""Learning the unknown word: some rare words of the training part are read as it."""

import numpy as np
import numpy.typing as npt

from drystone.core import shuffle
from drystone.core.dropout import LOW, WORD, philox
from drystone.core.errors import DataError
from drystone.text.kinds import PADDING, UNKNOWN

Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.integer]


def chosen(sequence: Integers, step: Integers, *, rate: float, seed: int, epoch: int) -> Bools:
    """Returns [tokens]: which tokens a draw of this rate chooses.

    Each choice depends on nothing but its own (seed, epoch, sequence, step), so it is the same in any batch, on any
    rank, and in a run that goes on after a stop.

    Args:
        sequence: [tokens] the number of each token's sequence, ≥ 0.
        step: [tokens] the number of the token in its sequence, ≥ 0.
        rate: the probability of being chosen, from 0 to 1.
        seed: fixes the choice, with the epoch.
        epoch: counts passes over the data.

    Raises:
        DataError: a rate outside 0 … 1, or a sequence or step below 0.
        LayoutError: a seed or an epoch that is no whole number in 0 … 2⁶⁴ − 1.

    Example:
        >>> chosen(np.array([4, 4, 4, 9]), np.array([0, 1, 2, 0]), rate=0.5, seed=0, epoch=0)
        array([ True, False, False, False])
    """
    if not 0 <= rate <= 1:
        raise DataError(f"rate is {rate}; a share of tokens to replace is from 0 to 1.")
    for name, numbers in (("sequence", sequence), ("step", step)):
        if len(numbers) and numbers.min() < 0:
            raise DataError(f"{name} {numbers.min()} was asked for; they are numbered from 0.")
    key = shuffle.raw_numbers(1, seed, epoch, shuffle.UNKNOWN)[0]
    number, place = sequence.astype(np.uint64), step.astype(np.uint64)
    words = philox((place & LOW, place >> WORD, number & LOW, number >> WORD), (key & LOW, key >> WORD))
    return words[0] < np.uint64(round(rate * (1 << 32)))


def share_unknown(ids: Integers) -> float:
    """Returns the share of unknown tokens among all but padding, from 0 to 1; 0 where there are none.

    Example:
        >>> share_unknown(np.array([[5, 1, 7, 2], [1, 0, 0, 0]]))
        0.4
    """
    num_tokens = np.count_nonzero(ids != PADDING)
    return float(np.count_nonzero(ids == UNKNOWN) / num_tokens) if num_tokens else 0.0
