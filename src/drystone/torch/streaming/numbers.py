"""Values as numbers: converted, and found finite or named."""

from collections.abc import Iterable
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from drystone.core.errors import DataError

Array = npt.NDArray[Any]
KINDS = "fiub"  # of NumPy's types: what floats can hold


def array_of(value: Any) -> Array:
    """Returns a value as an array of numbers.

    Raises:
        DataError: it is none; the message is a reason, without the name of the stream.
    """
    if np.ma.is_masked(value):
        raise DataError("some of its values are missing (masked)")
    if isinstance(value, Tensor):
        if value.is_complex():
            raise DataError(f"its values are {value.dtype}, not real numbers")
        return value.detach().double().cpu().numpy()
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise DataError("its steps are ragged: every step needs the same number of features") from error
    if array.dtype.kind not in KINDS:
        others = (item for item in array.ravel().tolist() if not isinstance(item, (int, float)))
        raise DataError(f"{next(others, value)!r} is no number")
    return array


def to_values(found: Array | Tensor, dtype: torch.dtype) -> Tensor:
    """Returns a copy of numbers as a tensor of the model's type; what is too large for it becomes infinite."""
    if isinstance(found, Tensor):
        return found.detach().to(dtype, copy=True)
    with np.errstate(over="ignore"):
        return torch.from_numpy(found.astype(np.float64 if dtype == torch.float64 else np.float32)).to(dtype)


def are_finite(tensors: Iterable[Tensor]) -> bool:
    """Whether no value is NaN or infinite; False also where only the sum of them is, so look again.

    A sum is finite only where all of its terms are, and takes a tenth of the time that looking at each takes.
    """
    sums = [tensor.sum() for tensor in tensors if tensor.is_floating_point()]
    return isfinite(sum(sums))


def first_not_finite(rows: Tensor) -> dict[int, tuple[int, float]]:
    """Returns, by the number of a row that is not finite, the place in it and the value found there.

    Args:
        rows: [rows, ...].
    """
    if not rows.is_floating_point():
        return {}
    flat = rows.reshape(len(rows), -1)
    wrong = ~flat.isfinite()
    numbers = wrong.any(dim=1).nonzero()[:, 0]
    places = wrong[numbers].int().argmax(dim=1)
    values = flat[numbers, places]
    found = zip(numbers.tolist(), places.tolist(), values.tolist(), strict=True)
    return {number: (place, value) for number, place, value in found}
