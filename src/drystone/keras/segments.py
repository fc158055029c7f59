"""Sums and maxima by segment, on any backend, without waiting for the device."""

from typing import Any

import keras
from keras import ops


def segment_sum(values: Any, segment: Any, num_segments: Any) -> Any:
    """Returns [segments, units], the sums over the cells of each segment; 0 where there are none.

    Args:
        values: [cells, units].
        segment: int32 [cells], 0 … num_segments − 1.
        num_segments: their number.
    """
    if keras.backend.backend() != "torch":
        return ops.segment_sum(values, segment, num_segments)
    # Keras' own waits for the device, and computes in float32 whatever it is given.
    return values.new_zeros(num_segments, values.shape[1]).index_add(0, segment, values)


def segment_max(values: Any, segment: Any, num_segments: Any) -> Any:
    """Returns [segments, units], the maxima over the cells of each segment; no gradient passes through.

    Args:
        values: [cells, units].
        segment: int32 [cells], 0 … num_segments − 1; where there are no cells, the result is the least of its type.
        num_segments: their number.
    """
    values = ops.stop_gradient(values)
    if keras.backend.backend() != "torch":
        return ops.segment_max(values, segment, num_segments)
    from torch import iinfo

    least = -float("inf") if values.is_floating_point() else iinfo(values.dtype).min
    places = segment.long()[:, None].expand_as(values)
    return values.new_full((num_segments, values.shape[1]), least).scatter_reduce(0, places, values, "amax")
