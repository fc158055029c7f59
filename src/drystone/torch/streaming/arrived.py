"""What came in one call: the steps of each stream, whatever form they came in."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from drystone.core.errors import StreamInputError
from drystone.torch.streaming.numbers import are_finite, first_not_finite

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrived:
    """The steps of one call.

    Args:
        streams: the id of each stream, once.
        num_steps: how many steps came of each, at least 1.
        order: the places of their steps among the values, stream after stream; None where they lie so already.
        values: [steps of all streams, features].
    """

    streams: list[str]
    num_steps: Ints
    order: Ints | None
    values: Tensor

    @property
    def first(self) -> Ints:
        """Where the steps of each stream begin, stream after stream."""
        return np.cumsum(self.num_steps) - self.num_steps

    def not_finite(self, *, missing_allowed: bool) -> dict[str, str]:
        """Returns, by stream, where a value is infinite, or NaN.

        Args:
            missing_allowed: whether NaN may stand for what is missing.
        """
        reasons: dict[str, str] = {}
        values = self.values.nan_to_num(0.0, torch.inf, -torch.inf) if missing_allowed else self.values
        if not are_finite([values]):
            dtype = str(self.values.dtype).removeprefix("torch.")
            for stream, step, feature, value in self._not_finite(values):
                reasons.setdefault(stream, f"feature {feature} of step {step} is {value} in {dtype}")
        return reasons

    def check_predictions(self, outputs: Tensor, state: Sequence[Tensor], stream_of_row: Ints | None) -> None:
        """Raises StreamInputError, which names the streams of which predictions or states are not finite.

        Args:
            outputs: [a, b, ...], where a × b are the steps of all streams, in the order of the values.
            state: tensors whose axis 1 is the rows.
            stream_of_row: the number of each row's stream; None where they are in the same order.
        """
        if are_finite([outputs, *state]):
            return
        reasons: dict[str, str] = {}
        for stream, step, _, value in self._not_finite(outputs.flatten(0, 1)):
            reasons.setdefault(stream, f"the prediction at step {step} is {value}")
        for part in state:
            for row, (_, value) in first_not_finite(part.movedim(1, 0)).items():
                stream = row if stream_of_row is None else stream_of_row[row]
                reasons.setdefault(self.streams[stream], f"the state after its steps holds {value}")
        if reasons:
            raise StreamInputError(reasons, num_streams=len(self.streams))

    def _not_finite(self, rows: Tensor) -> list[tuple[str, int, int, float]]:
        """Stream, step, place in it and value of what is not finite, in the order of the streams and steps."""
        found = first_not_finite(rows)
        places = self._places(list(found))
        by_place = sorted(zip(places, found.values(), strict=True), key=lambda pair: pair[0])
        return [(self.streams[stream], step, place, value) for (stream, step), (place, value) in by_place]

    def _places(self, rows: Sequence[int]) -> list[tuple[int, int]]:
        """The stream, and the step of it in this call, of rows of the values."""
        at = np.asarray(rows, dtype=np.int64)
        if self.order is not None:
            rank = np.empty_like(self.order)
            rank[self.order] = np.arange(len(self.order))
            at = rank[at]
        stream = np.searchsorted(self.first, at, side="right") - 1
        return list(zip(stream.tolist(), (at - self.first[stream]).tolist(), strict=True))
