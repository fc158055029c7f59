"""The proof that a model said something finite of every item."""

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
from drystone.core.lengths import place_of
from drystone.core.sequences import Sequences


def check_no_overflow(found: npt.NDArray[np.float64], seqs: Sequences, *, per_step: bool) -> None:
    """Raises DataError at the first item of which a model says something that is not finite.

    Args:
        found: [items, numbers] what it says.
        seqs: the sequences.
        per_step: whether the items are their steps, else they themselves.
    """
    broken = ~np.isfinite(found)
    if broken.any():
        at = int(np.nonzero(broken)[0][0])
        sequence, step = place_of(at, seqs.lengths) if per_step else (at, None)
        raise DataError(
            f"{seqs.place(sequence, step)} holds numbers so far from the training data that the model overflows."
        )
