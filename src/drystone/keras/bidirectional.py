"""`keras.layers.Bidirectional` with masks for both of its directions."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from drystone.core.errors import ShapeError
from drystone.keras.lstm import LSTM
from drystone.keras.masks import Tensor


@keras.saving.register_keras_serializable(package="drystone")
class Bidirectional(keras.layers.Bidirectional):
    """Runs an LSTM forward and backward through each sequence of a grid.

    It is `keras.layers.Bidirectional`, and may also be called with `reset=` and `valid=`: each sequence, wherever it
    lies on its row, is then run from its first step to its last and back, as if it were alone. Every sequence must lie
    in its batch whole.

    Args:
        layer: a `drystone.keras.LSTM`.
        **options: as for `keras.layers.Bidirectional`.

    Raises:
        ShapeError: when it is called with masks: a layer that is no `drystone.keras.LSTM`, a stateful one with
            `reset`, masks that do not fit, or a row that starts inside of a sequence.

    Example:
        >>> import numpy as np
        >>> both = Bidirectional(LSTM(8, return_sequences=True))
        >>> x = np.array([1, 2, 1, 2], "float32").reshape(1, 4, 1)  # the sequence (1, 2), twice
        >>> output = both(x, reset=np.array([[True, False, True, False]]))
        >>> tuple(output.shape), bool(keras.ops.max(abs(output[0, :2] - output[0, 2:])) < 1e-6)
        ((1, 4, 16), True)
    """

    def compute_output_spec(
        self, sequences: Any, *args: Any, reset: Any = None, valid: Any = None, **options: Any
    ) -> Any:
        """Checks what a model is put together with, before anything runs."""
        if reset is not None or valid is not None:
            for layer in self._directions():
                layer.compute_output_spec(sequences, reset=reset, valid=valid)
        return super().compute_output_spec(sequences, *args, reset=reset, valid=valid, **options)

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Tensor | None = None,
        training: bool | None = None,
        reset: Tensor | None = None,
        valid: Tensor | None = None,
        sequences_mask: Tensor | None = None,
    ) -> Any:
        """Runs both directions over a batch; the arguments are those of `drystone.keras.LSTM`.

        Returns:
            The merged output; with return_state also h and c of the forward run and of the backward one.
        """
        mask = sequences_mask if mask is None else mask
        if reset is None and valid is None:
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        states = (None, None) if initial_state is None else (initial_state[:2], initial_state[2:])
        runs = [
            layer(sequences, initial_state=state, mask=mask, training=training, reset=reset, valid=valid)
            for layer, state in zip(self._directions(), states, strict=True)
        ]
        outputs = [run[0] if self.return_state else run for run in runs]
        if self.return_sequences:
            outputs[1] = ops.flip(outputs[1], axis=1)
        merged = self._merged(outputs)
        if not self.return_state:
            return merged
        return *(merged if isinstance(merged, tuple) else (merged,)), *runs[0][1:], *runs[1][1:]

    def _directions(self) -> Sequence[LSTM]:
        layers = (self.forward_layer, self.backward_layer)
        for layer in layers:
            if not isinstance(layer, LSTM):
                raise ShapeError(
                    f"{type(layer).__module__}.{type(layer).__name__} knows no resets and no valid cells; "
                    f"wrap a drystone.keras.LSTM."
                )
        return layers

    def _merged(self, outputs: list[Tensor]) -> Any:
        match self.merge_mode:
            case "concat":
                return ops.concatenate(outputs, axis=-1)
            case "sum":
                return outputs[0] + outputs[1]
            case "ave":
                return (outputs[0] + outputs[1]) / 2
            case "mul":
                return outputs[0] * outputs[1]
            case _:
                return tuple(outputs)
