"""The recurrence with resets and invalid cells, step by step, on any backend: Keras' own loop around a cell that masks.

`where`, not multiplication, keeps NaN from crossing a reset.
"""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from drystone.keras.masks import GridMasks, Tensor


@dataclass(frozen=True, slots=True)
class MaskedStep:
    """One step of an LSTM cell; its inputs have two more columns, 1 where the cell resets and where it is valid."""

    cell: Any
    training: bool

    @property
    def state_size(self) -> list[int]:
        return self.cell.state_size

    def call(self, inputs: Tensor, states: Any) -> tuple[Tensor, list[Tensor]]:
        """Returns the output, and h and c."""
        x, reset, valid = inputs[:, :-2], inputs[:, -2:-1] > 0, inputs[:, -1:] > 0
        before = [_or_zero(ops.logical_not(reset), state) for state in states]
        output, after = self.cell(x, before, training=self.training)
        held = [ops.where(valid, new, old) for new, old in zip(after, before, strict=True)]
        return _or_zero(valid, output), held

    __call__ = call


def masked_scan(
    cell: Any, x: Tensor, state: list[Tensor], masks: GridMasks, *, training: bool, unroll: bool
) -> tuple[Tensor, list[Tensor]]:
    """Returns the output at every cell, [rows, steps, units], and h and c after each row's last one.

    Args:
        cell: a built `keras.layers.LSTMCell`.
        x: the inputs, [rows, steps, features].
        state: h and c that rows start from, [rows, units] each.
        masks: of the cells, in the order of the run.
        training: whether dropout acts.
        unroll: whether to lay the steps out one by one instead of looping; their number must be known.
    """
    reset: Tensor = ops.zeros_like(x[..., 0]) if masks.reset is None else ops.cast(masks.reset, x.dtype)
    valid: Tensor = ops.ones_like(x[..., 0]) if masks.valid is None else ops.cast(masks.valid, x.dtype)
    # a layer of Keras for its loop alone: it owns nothing, and the cell's weights stay with their owner
    loop = keras.layers.RNN(
        MaskedStep(cell, training), return_sequences=True, unroll=unroll, dtype=cell.dtype_policy, name="masked_scan"
    )
    columns = ops.concatenate([x, reset[..., None], valid[..., None]], axis=-1)
    _, outputs, states = loop.inner_loop(columns, state, mask=None, training=training)
    return outputs, list(states)


def _or_zero(condition: Tensor, value: Tensor) -> Tensor:
    return ops.where(condition, value, ops.zeros((), dtype=value.dtype))
