"""The recurrence with resets and invalid cells, step by step, on any backend: Keras' own loop around a cell that masks.

`where`, not multiplication, keeps NaN from crossing a reset.
"""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from drystone.keras.masks import GridMasks, Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedStep:
    """One step of an LSTM cell; a column of its inputs for each mask says where the mask is true."""

    cell: Any
    training: bool
    has_reset: bool
    has_valid: bool

    @property
    def state_size(self) -> list[int]:
        return self.cell.state_size

    def call(self, inputs: Tensor, states: Any) -> tuple[Tensor, list[Tensor]]:
        """Returns the output, and h and c."""
        num_features = inputs.shape[-1] - self.has_reset - self.has_valid
        before = list(states)
        if self.has_reset:
            reset = inputs[:, num_features : num_features + 1] > 0
            before = [ops.where(reset, ops.zeros((), dtype=state.dtype), state) for state in before]
        output, after = self.cell(inputs[:, :num_features], before, training=self.training)
        if self.has_valid:
            valid = inputs[:, -1:] > 0
            after = [ops.where(valid, new, old) for new, old in zip(after, before, strict=True)]
        return output, list(after)

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
    columns = [ops.expand_dims(ops.cast(mask, x.dtype), -1) for mask in masks if mask is not None]
    step = MaskedStep(
        cell=cell, training=training, has_reset=masks.reset is not None, has_valid=masks.valid is not None
    )
    # a layer of Keras for its loop alone: it owns nothing, and the cell's weights stay with their owner
    loop = keras.layers.RNN(step, return_sequences=True, unroll=unroll, dtype=cell.dtype_policy, name="masked_scan")
    inputs = ops.concatenate([x, *columns], axis=-1)
    outputs: Tensor
    _, outputs, states = loop.inner_loop(inputs, state, mask=None, training=training)
    if masks.valid is not None:
        outputs = ops.where(ops.expand_dims(masks.valid, -1), outputs, ops.zeros((), dtype=outputs.dtype))
    return outputs, list(states)
