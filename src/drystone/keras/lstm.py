"""`keras.layers.LSTM` over the grid: exact on padded, bucketed, packed and stateful batches, on every backend."""

from typing import Any

import keras
from keras import ops

from drystone.core.errors import ShapeError
from drystone.keras.guard import has_shapes_only
from drystone.keras.kept_state import KeptState
from drystone.keras.masked_scan import masked_scan
from drystone.keras.masks import GridMasks, Tensor, check_masks, check_state


@keras.saving.register_keras_serializable(package="drystone")
class LSTM(keras.layers.LSTM):
    """An LSTM over grids; arguments, weights and their initial values are those of `keras.layers.LSTM`.

    It is called as `lstm(x, reset=..., valid=...)`, both bool [rows, steps]. An invalid cell outputs 0 and leaves the
    state unchanged, wherever it lies; a mask that Keras propagates, or `mask=`, makes cells invalid likewise (where
    `keras.layers.LSTM` repeats the output before). A reset zeroes the state just before its cell, passed-in state too.
    Without `return_sequences` the output is that of each row's last valid cell, and 0 where there is none.

    With `go_backwards=True` it runs backward through each sequence of a row: the same `reset` is passed, that says
    where sequences start. `drystone.keras.Bidirectional` hands it to both directions.

    With `stateful=True` row i goes on from the state of row i of the batch before, on every backend, in `fit`,
    `evaluate`, `predict` and loops of one's own. What runs with `training=True` has one state, all else another, so
    evaluation never disturbs training. Both are saved with the model. `reset` in the data zeroes them row by row where
    sequences start; `reset_state` zeroes all rows.

    Args:
        *args, **options: as for `keras.layers.LSTM`, whose defaults hold.
        max_rows: for `stateful=True`, the most rows that a batch may have; from the batch size of the input by
            default. Any smaller number works too.

    Raises:
        ShapeError: max_rows that is no number of rows, or without stateful=True; when it is built, a stateful layer
            that knows no number of rows; when it is called, masks that do not fit or cannot be served (a backward
            direction on a sequence that goes on from another batch), and more rows than max_rows.

    On the JAX backend an error inside of `fit` loses the model's weights. Masks and rows are checked when a model is
    put together, and again with the first batch, before training starts.

    Example:
        >>> import numpy as np
        >>> lstm = LSTM(8, return_sequences=True)
        >>> valid = np.ones((1, 4), bool)
        >>> reset = np.array([[True, False, False, True]])
        >>> output = lstm(np.ones((1, 4, 2), "float32"), reset=reset, valid=valid)
        >>> tuple(output.shape), bool(keras.ops.all(output[0, 0] == output[0, 3]))
        ((1, 4, 8), True)
    """

    def __init__(self, *args: Any, max_rows: int | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        if max_rows is not None and (not isinstance(max_rows, int) or max_rows < 1):
            raise ShapeError(f"max_rows must be a whole number of at least 1; got {max_rows!r}.")
        if max_rows is not None and not self.stateful:
            raise ShapeError(f"max_rows={max_rows} has no effect without stateful=True.")
        self.max_rows = max_rows
        self.kept_state: KeptState | None = None

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Makes the weights, and the state that a stateful layer keeps."""
        self.cell.build((sequences_shape[0], sequences_shape[2]))
        if not self.stateful:
            return
        max_rows = self.max_rows or sequences_shape[0]
        if max_rows is None:
            raise ShapeError(
                "a stateful LSTM must know the most rows that a batch may have: pass LSTM(..., max_rows=...), or an "
                "Input with a batch size."
            )
        kept_state = KeptState(max_rows, self.units, dtype=self.dtype_policy, name="kept_state")
        kept_state.build()
        self.kept_state = kept_state

    def compute_output_spec(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = False,
        reset: Any = None,
        valid: Any = None,
        sequences_mask: Any = None,
    ) -> Any:
        """Checks what a model is put together with, before anything runs."""
        self._check(sequences, initial_state, reset, valid, mask)
        return super().compute_output_spec(sequences, initial_state, mask, training, reset, valid, sequences_mask)

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Tensor | None = None,
        training: bool | None = False,
        reset: Tensor | None = None,
        valid: Tensor | None = None,
        sequences_mask: Tensor | None = None,
    ) -> Any:
        """Runs over a batch.

        Args:
            sequences: the inputs, [rows, steps, features].
            initial_state: h and c that rows start from, [rows, units] each; by default the state that is kept, or zeros.
            mask: as `valid`, but also taken from what Keras propagates.
            training: whether dropout acts, and which state is meant.
            reset: bool [rows, steps], true where a sequence starts.
            valid: bool [rows, steps], true where a cell holds a real step.
            sequences_mask: where Keras puts the mask that it propagates, when more than one tensor is passed.

        Returns:
            The output, [rows, steps, units] or [rows, units]; with return_state, the output, h and c.
        """
        mask = sequences_mask if mask is None else mask
        self._check(sequences, initial_state, reset, valid, mask)
        training = bool(training)
        shape: Any = ops.shape(sequences)
        num_rows = shape[0]
        masks = GridMasks.of(reset, valid, mask)
        if self.go_backwards:
            sequences = masks.guard_whole(sequences)
        if self.kept_state is not None and not has_shapes_only(sequences):
            num_rows = self.kept_state.guard_rows(num_rows)
        state = self._starting_state(initial_state, num_rows, training=training)
        last, outputs, states = self._run(sequences, state, masks, training=training)
        if self.kept_state is not None:
            self.kept_state.write(states, num_rows, training=training)
        output = ops.cast(outputs if self.return_sequences else last, self.compute_dtype)
        if not self.return_state:
            return output
        return output, *(ops.cast(part, self.compute_dtype) for part in states)

    def reset_state(self, *, training: bool | None = None) -> None:
        """Zeroes the state that is kept.

        Args:
            training: True for the state of `fit` only, False for that of evaluation and prediction; both by default.
        """
        if self.kept_state is not None:
            for which in (True, False) if training is None else (training,):
                self.kept_state.zero(training=which)

    def get_config(self) -> dict[str, Any]:
        """The settings that make an equal layer."""
        return {**super().get_config(), "max_rows": self.max_rows}

    def _check(self, x: Any, initial_state: Any, reset: Any, valid: Any, mask: Any) -> None:
        check_masks(tuple(x.shape[:2]), reset=reset, valid=valid)
        check_state(initial_state, x.shape[0], self.units)
        if self.stateful and self.go_backwards and reset is not None:
            raise ShapeError(
                "a backward direction needs every sequence whole in one batch, and stateful=True is for sequences that "
                "go on in the next one: use stateful=False, or go_backwards=False."
            )
        has_masks = any(part is not None for part in (reset, valid, mask))
        if self.use_cudnn is True and has_masks and keras.backend.backend() != "torch":
            raise ShapeError(
                f"use_cudnn=True on {keras.backend.backend()}: its cuDNN layer knows no resets, and invalid cells at the "
                f'end of rows only. Use use_cudnn="auto".'
            )
        if self.kept_state is not None and isinstance(x.shape[0], int) and not has_shapes_only(x):
            self.kept_state.guard_rows(x.shape[0])

    def _starting_state(self, initial_state: Any, num_rows: Any, *, training: bool) -> list[Tensor]:
        if initial_state is None and self.kept_state is not None:
            initial_state = self.kept_state.read(num_rows, training=training)
        elif initial_state is None:
            initial_state = self.get_initial_state(batch_size=num_rows)
        return [ops.convert_to_tensor(part, dtype=self.compute_dtype) for part in initial_state]

    def _run(
        self, x: Tensor, state: list[Tensor], masks: GridMasks, *, training: bool
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Returns the last outputs, all outputs and the states, by the fastest way that is exact on this backend."""
        self.cell.get_dropout_mask(x[:, 0])  # drawn here, outside of the loop, and once for all steps
        self.cell.get_recurrent_dropout_mask(state[0])
        try:
            if self._runs_on_torch_ops(training=training):
                return self._run_on_torch_ops(x, state, masks, training=training)
            if masks.reset is None and masks.valid is None:
                return self.inner_loop(x, state, mask=None, training=training)
            x, masks = self._in_order(x, masks)
            outputs, states = masked_scan(self.cell, x, state, masks, training=training, unroll=self.unroll)
            return masks.output_at_last(outputs), outputs, states
        finally:
            self.cell.reset_dropout_mask()
            self.cell.reset_recurrent_dropout_mask()

    def _in_order(self, x: Tensor, masks: GridMasks) -> tuple[Tensor, GridMasks]:
        """Returns the inputs, 0 at invalid cells, and the masks, both in the order of the run."""
        if masks.valid is not None:
            x = ops.where(masks.valid[..., None], x, ops.zeros((), dtype=x.dtype))
        return (ops.flip(x, axis=1), masks.backward()) if self.go_backwards else (x, masks)

    def _runs_on_torch_ops(self, *, training: bool) -> bool:
        drops = training and (
            self.cell.recurrent_dropout > 0 or (self.cell.dropout > 0 and self.cell.implementation == 1)
        )
        activations = (self.activation, self.recurrent_activation)
        usual = activations == (keras.activations.tanh, keras.activations.sigmoid)
        return keras.backend.backend() == "torch" and usual and not drops

    def _run_on_torch_ops(
        self, x: Tensor, state: list[Tensor], masks: GridMasks, *, training: bool
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        from drystone.keras.torch_run import torch_run

        if training and self.cell.dropout > 0:
            x = x * ops.expand_dims(self.cell.get_dropout_mask(x[:, 0]), 1)
        x, masks = self._in_order(x, masks)
        parameters = [
            None if weight is None else ops.convert_to_tensor(weight)
            for weight in (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)
        ]
        kernel = "reference" if self.use_cudnn is False else "auto"
        outputs, states = torch_run(x, state, masks, parameters, kernel=kernel)
        return masks.output_at_last(outputs), outputs, states
