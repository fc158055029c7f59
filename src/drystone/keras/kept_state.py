"""State that a layer keeps from batch to batch, in variables that every backend tracks and every file holds."""

from typing import Any, final

import keras
from keras import ops

from drystone.core.errors import ShapeError
from drystone.keras.guard import guard
from drystone.keras.masks import Tensor


@final
@keras.saving.register_keras_serializable(package="drystone")
class KeptState(keras.layers.Layer):
    """h and c of every row, [max_rows, units] each: one pair for `fit`, another one for evaluation and prediction.

    They are variables of the model but none of its `weights`: `get_weights` stays what it is for a layer that keeps no
    state. Files (`model.save`, `save_weights`) hold them; a file without them leaves them as they are.
    """

    def __init__(self, max_rows: int, units: int, **options: Any) -> None:
        super().__init__(trainable=False, **options)
        self.max_rows = max_rows
        self.units = units

    def build(self, input_shape: Any = None) -> None:
        """Makes the variables, all zero."""
        shape = (self.max_rows, self.units)
        self.fit_h, self.fit_c, self.other_h, self.other_c = (
            self.add_weight(shape=shape, initializer="zeros", trainable=False, name=name, autocast=False)
            for name in ("fit_h", "fit_c", "evaluation_h", "evaluation_c")
        )

    def of(self, *, training: bool) -> list[Any]:
        """Returns the variables h and c of `fit`, or of evaluation and prediction."""
        return [self.fit_h, self.fit_c] if training else [self.other_h, self.other_c]

    def read(self, num_rows: Any, *, training: bool) -> list[Tensor]:
        """Returns copies of h and c of the first rows; what is written later does not change them."""
        rows = ops.minimum(ops.arange(num_rows, dtype="int32"), self.max_rows - 1)
        return [ops.take(ops.convert_to_tensor(variable), rows, axis=0) for variable in self.of(training=training)]

    def write(self, states: list[Tensor], num_rows: Any, *, training: bool) -> None:
        """Keeps h and c of the first rows, without gradients; the state of other rows stays as it is."""
        rows = ops.arange(self.max_rows, dtype="int32")
        is_there, source = (rows < num_rows)[:, None], ops.minimum(rows, num_rows - 1)
        for variable, state in zip(self.of(training=training), states, strict=True):
            value = ops.take(ops.cast(ops.stop_gradient(state), variable.dtype), source, axis=0)
            variable.assign(ops.where(is_there, value, ops.convert_to_tensor(variable)))

    def zero(self, *, training: bool) -> None:
        """Zeroes h and c of all rows."""
        for variable in self.of(training=training):
            variable.assign(ops.zeros(variable.shape, dtype=variable.dtype))

    def guard_rows(self, num_rows: Any) -> Any:
        """Returns the rows of a batch; raises ShapeError where they are known to be more than those of the state."""
        so_many = f"{num_rows:,} rows" if isinstance(num_rows, int) else "more rows than that"
        return guard(
            num_rows,
            num_rows <= self.max_rows,
            f"the state of this stateful LSTM was built for at most {self.max_rows:,} rows; this batch has {so_many}. "
            f"Pass LSTM(..., stateful=True, max_rows=...), as many as the layout's largest batch has.",
        )

    @property
    def weights(self) -> list[Any]:
        """None: state is data, and no weight."""
        return []

    def load_own_variables(self, store: Any) -> None:
        """Takes the state from a file, if it holds one of this shape.

        Raises:
            ShapeError: the file holds the state of another number of rows or units.
        """
        for key in store.keys():  # noqa: SIM118 - an HDF5 group
            found = tuple(store[key].shape)
            if found != (self.max_rows, self.units):
                raise ShapeError(
                    f"the file holds the state of {found[0]:,} rows × {found[1]:,} units; this layer keeps "
                    f"{self.max_rows:,} × {self.units:,}. Build it with max_rows={found[0]}."
                )
        if len(store.keys()):
            super().load_own_variables(store)

    def get_config(self) -> dict[str, Any]:
        """The settings that make an equal one."""
        return {**super().get_config(), "max_rows": self.max_rows, "units": self.units}
