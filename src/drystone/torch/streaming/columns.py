"""Columns of a call: ids, and one row of values for each."""

from collections import Counter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from drystone.core.errors import DataError, StreamInputError
from drystone.torch.streaming.arrived import Arrived
from drystone.torch.streaming.ids import Ids
from drystone.torch.streaming.numbers import KINDS, Array, array_of, to_values


def read_columns(
    ids: Ids, values: Any, num_features: int | None, dtype: torch.dtype, *, missing_allowed: bool
) -> tuple[Arrived, tuple[int, ...]]:
    """Returns what came, and the shape that leads the predictions: rows, or rows and steps.

    Args:
        ids: of the rows.
        values: [rows, features], [rows, steps, features], or [rows] of one feature.
        num_features: expected; None for what came.
        dtype: of the model's inputs.
        missing_allowed: whether NaN may stand for what is missing.

    Raises:
        StreamInputError: it names each stream whose values cannot be used.
        DataError: values of another number of rows, or of no steps.
    """
    found = _numbers(ids, values)
    if found.ndim not in (1, 2, 3):
        raise DataError(f"values has shape {tuple(found.shape)}; expected [rows, features] or [rows, steps, features].")
    _check_rows(ids, len(found))
    if 0 in found.shape:
        raise DataError(f"values has shape {tuple(found.shape)}; at least one row, step and feature is needed.")
    leading = tuple(found.shape[: max(found.ndim - 1, 1)])
    flat = to_values(found, dtype).reshape(int(np.prod(leading)), -1)
    if num_features not in (None, flat.shape[1]):
        reason = f"it has {flat.shape[1]} features; expected {num_features}"
        raise StreamInputError(dict.fromkeys(ids.streams, reason), num_streams=len(ids.streams))
    arrived = _arrived(ids, flat, leading[1] if len(leading) > 1 else 1)
    if reasons := arrived.not_finite(missing_allowed=missing_allowed):
        raise StreamInputError(reasons, num_streams=len(ids.streams))
    return arrived, leading


def _arrived(ids: Ids, flat: Tensor, steps: int) -> Arrived:
    num_steps = np.full(len(ids.streams), steps, dtype=np.int64)
    if ids.stream is None:
        return Arrived(streams=ids.streams, num_steps=num_steps, order=None, values=flat)
    num_steps *= np.bincount(ids.stream)
    rows = np.argsort(ids.stream, kind="stable")
    order = (rows[:, None] * steps + np.arange(steps)).ravel()
    return Arrived(streams=ids.streams, num_steps=num_steps, order=order, values=flat)


def _check_rows(ids: Ids, num_rows: int) -> None:
    if num_rows != ids.num_rows:
        raise DataError(f"there are {ids.num_rows} ids and {num_rows} rows of values; each row needs an id.")


def _numbers(ids: Ids, values: Any) -> Array | Tensor:
    if isinstance(values, Tensor) and not values.is_complex():
        return values
    if np.ma.is_masked(values):
        return _row_by_row(ids, values)
    try:
        found = np.asarray(values)
    except (ValueError, TypeError, RuntimeError):  # ragged, or tensors: row by row, each fault is found
        return _row_by_row(ids, values)
    return found if found.dtype.kind in KINDS else _row_by_row(ids, values)


def _row_by_row(ids: Ids, values: Any) -> Array:
    if not hasattr(values, "__len__"):
        raise DataError(f"values is a {type(values).__name__}; pass an array, [rows, features].")
    _check_rows(ids, len(values))
    found = [_array_or_reason(value) for value in values]
    shapes = Counter(array.shape for array in found if not isinstance(array, str))
    expected = shapes.most_common(1)[0][0] if shapes else ()
    reasons: dict[str, str] = {}
    arrays: list[Array] = []
    for row, array in enumerate(found):
        if isinstance(array, str):
            reasons.setdefault(ids.of_row(row), array)
        elif array.shape != expected:
            reasons.setdefault(ids.of_row(row), f"its values have shape {array.shape}; those of most rows, {expected}")
        elif not np.isfinite(array).all():
            reasons.setdefault(ids.of_row(row), "its values are not finite")
        else:
            arrays.append(array)
    if reasons:
        raise StreamInputError(reasons, num_streams=len(ids.streams))
    return np.stack(arrays)


def _array_or_reason(value: Any) -> Array | str:
    try:
        return array_of(value)
    except DataError as error:
        return str(error)
