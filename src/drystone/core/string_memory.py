"""The memory of Arrow strings, as NumPy sees it: where each value starts, and the bytes of all."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Offsets = npt.NDArray[np.int64]


def offsets_in(strings: pa.LargeStringArray) -> Offsets:
    """Returns [strings + 1]: where each starts in `bytes_of`, and where the last ends; no copy."""
    memory = strings.buffers()[1]
    if memory is None or not len(strings):
        return np.zeros(1, np.int64)
    return np.frombuffer(memory, np.int64)[strings.offset : strings.offset + len(strings) + 1]


def bytes_of(strings: pa.LargeStringArray) -> npt.NDArray[np.uint8]:
    """Returns the bytes of all strings in the memory behind these, UTF-8; no copy."""
    memory = strings.buffers()[2]
    return np.zeros(0, np.uint8) if memory is None else np.frombuffer(memory, np.uint8)


def strings_of(offsets: Offsets, data: pa.Buffer | None) -> pa.LargeStringArray:
    """Returns the strings that lie in some memory, without a copy.

    Args:
        offsets: [strings + 1] as `offsets_in` returns them.
        data: valid UTF-8, cut between characters only; None for empty strings.
    """
    memory: list[Any] = [None, pa.py_buffer(np.ascontiguousarray(offsets, np.int64)), data or pa.py_buffer(b"")]
    return pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, memory)
