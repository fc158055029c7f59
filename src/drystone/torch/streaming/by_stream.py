"""Values by stream id: any number of steps each."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from drystone.core.errors import DataError, StreamInputError
from drystone.torch.streaming.arrived import Arrived
from drystone.torch.streaming.ids import ids_of
from drystone.torch.streaming.numbers import Array, array_of, to_values


def read_by_stream(
    values: Mapping[str, Any], num_features: int | None, dtype: torch.dtype, *, missing_allowed: bool
) -> tuple[Arrived, dict[str, bool]]:
    """Returns what came, and by stream whether it is one step, without an axis of steps.

    Args:
        values: by stream id: [steps, features], [features] of one step, or a number: one step of one feature.
        num_features: expected; None for what most streams have.
        dtype: of the model's inputs.
        missing_allowed: whether NaN may stand for what is missing.

    Raises:
        StreamInputError: it names each stream whose values cannot be used.
        DataError: nothing came.
    """
    if not values:
        raise DataError("nothing came; pass the values of at least one stream.")
    streams = ids_of(list(values)).streams
    arrays, reasons = _arrays(values)
    widths = Counter(array.shape[-1] if array.ndim else 1 for array in arrays.values())
    expected = widths.most_common(1)[0][0] if num_features is None and widths else num_features
    grids: dict[str, Array] = {}
    for stream, array in arrays.items():
        grid = array.reshape(1, -1) if array.ndim < 2 else array
        if wrong := _wrong(grid, expected):
            reasons[stream] = wrong
        else:
            grids[stream] = grid
    arrived = _arrived(grids, dtype) if grids else None
    reasons |= {} if arrived is None else arrived.not_finite(missing_allowed=missing_allowed)
    if reasons or arrived is None:
        in_order = {stream: reasons[stream] for stream in streams if stream in reasons}
        raise StreamInputError(in_order, num_streams=len(streams))
    return arrived, {stream: array.ndim < 2 for stream, array in arrays.items()}


def by_stream(outputs: Tensor, arrived: Arrived, is_one_step: Mapping[str, bool]) -> dict[str, Tensor]:
    """Returns the predictions of each stream in the form in which its values came."""
    parts = outputs.flatten(0, 1).split(arrived.num_steps.tolist())
    found = zip(is_one_step.items(), parts, strict=True)
    return {stream: part[0] if is_one else part for (stream, is_one), part in found}


def _arrived(grids: Mapping[str, Array], dtype: torch.dtype) -> Arrived:
    num_steps = np.fromiter(map(len, grids.values()), np.int64, len(grids))
    values = to_values(np.concatenate(list(grids.values())), dtype)
    return Arrived(streams=list(grids), num_steps=num_steps, order=None, values=values)


def _arrays(values: Mapping[str, Any]) -> tuple[dict[str, Array], dict[str, str]]:
    arrays: dict[str, Array] = {}
    reasons: dict[str, str] = {}
    for stream, value in values.items():
        try:
            arrays[stream] = array_of(value)
        except DataError as error:
            reasons[stream] = str(error)
    return arrays, reasons


def _wrong(grid: Array, num_features: int | None) -> str | None:
    if grid.ndim != 2:
        return f"its values have shape {grid.shape}; expected [steps, features], or [features] of one step"
    if not len(grid):
        return "it has no steps"
    if grid.shape[1] != num_features or not num_features:
        return f"it has {grid.shape[1]} features; expected {num_features}"
    return None
