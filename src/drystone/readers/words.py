"""Words that are split already, as Arrow has them."""

from collections.abc import Iterable

import pyarrow as pa


def as_strings(words: Iterable[bytes]) -> pa.LargeStringArray:
    """Returns words in UTF-8 as an Arrow array.

    Example:
        >>> as_strings([b"so", b"so"]).to_pylist()
        ['so', 'so']
    """
    return pa.array(list(words), pa.large_binary()).cast(pa.large_string())
