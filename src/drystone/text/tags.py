"""Tags that mark chunks of steps, such as B-city, I-city and O, taken apart."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError

Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

BEGIN, INSIDE, OUTSIDE = "B-", "I-", "O"
NO_TYPE = "_"
LETTERS = "BIESO."  # the first letters that have rules of their own; the last two stand outside of all chunks
OTHER = len(LETTERS)


class Tags:
    """A list of tags, taken apart once; steps then name them by their numbers.

    A tag is a letter, a hyphen and the type of its chunk: `B-city`, where a chunk begins, `I-city`, inside of one, or `O`,
    outside of all. `E-` (the last step) and `S-` (a single one) are known too. Hyphens after the first belong to the type.

    Args:
        names: the tags, by their numbers.

    Raises:
        DataError: a tag is no text, or empty.

    Example:
        >>> tags = Tags(["O", "B-to-city", "I-to-city"])
        >>> tags.types, tags.type
        (('_', 'to-city'), array([0, 1, 1]))
    """

    def __init__(self, names: Sequence[str]) -> None:
        for name in names:
            if not isinstance(name, str) or not name:
                raise DataError(f"a tag is {name!r}; expected text, such as B-city, I-city or O.")
        self.names = tuple(names)
        types = [name[1:].split("-", maxsplit=1)[-1] or NO_TYPE for name in names]
        self.types = (NO_TYPE, *sorted(set(types) - {NO_TYPE}))
        numbers = {kind: number for number, kind in enumerate(self.types)}
        self.type = np.array([numbers[kind] for kind in types], dtype=np.int64)
        letters = np.array([LETTERS.find(name[0]) for name in names], dtype=np.int64)
        self.letter = np.where(letters < 0, OTHER, letters)

    def breaks(self, ids: npt.NDArray[Any], starts: npt.NDArray[Any]) -> Bools:
        """Returns [steps]: which are I- that go on with nothing: after O, after another type, or where a sequence starts.

        Args:
            ids: [steps] the tag of each, sequence after sequence.
            starts: where sequences start.

        Example:
            >>> Tags(["O", "B-city", "I-city", "I-day"]).breaks(np.array([0, 2, 2, 1, 3, 2]), np.array([0, 5]))
            array([False,  True, False, False,  True,  True])
        """
        is_inside, is_part = (np.isin(self.letter, [LETTERS.index(one) for one in some])[ids] for some in ("I", "BI"))
        goes_on = np.zeros(len(ids), dtype=bool)
        goes_on[1:] = is_part[:-1] & (self.type[ids][1:] == self.type[ids][:-1])
        goes_on[starts] = False
        return is_inside & ~goes_on


def is_bio(names: Iterable[Any]) -> bool:
    """Returns whether tags mark chunks: each is O, B-TYPE or I-TYPE, and not all are O.

    >>> is_bio(["B-city", "O"]), is_bio(["NOUN", "O"]), is_bio(["O"])
    (True, False, False)
    """
    inside = [name for name in names if name != OUTSIDE]
    return bool(inside) and all(
        isinstance(name, str) and name.startswith((BEGIN, INSIDE)) and len(name) > len(BEGIN) for name in inside
    )
