"""The C++ extension; items are given as bytes."""

import numpy as np
import numpy.typing as npt

def gather(
    values: npt.NDArray[np.uint8],
    sources: npt.NDArray[np.int64],
    targets: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    out: npt.NDArray[np.uint8],
) -> None: ...
def empty(size: int) -> npt.NDArray[np.uint8]: ...
