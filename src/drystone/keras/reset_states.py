"""A callback that zeroes the state of stateful layers where a pass over the data begins."""

import warnings
from collections.abc import Iterator
from typing import Any, final

import keras
from keras import ops

from drystone.core.errors import DrystoneError
from drystone.keras.lstm import LSTM


@final
class ResetStates(keras.callbacks.Callback):
    """Zeroes the state of all stateful layers when an epoch, an evaluation or a prediction begins.

    Batches of a drystone layout need none of it: `reset` zeroes each row where a sequence starts. It is for batches of
    one's own, where the first batch of each pass starts new sequences on every row.

    A `drystone.keras.LSTM` has a state of its own for evaluation and prediction. Keras' own recurrent layers have one
    for all; the state of `fit` is put back when an evaluation or prediction ends. On JAX they carry no state at all, and on
    PyTorch an LSTM of Keras 3.15 cannot be trained, unless it has use_cudnn=False.

    Raises:
        DrystoneError: on the JAX backend, a stateful layer of Keras' own; when the model is given.

    Example:
        >>> model = keras.Sequential([keras.Input((None, 2), batch_size=4), LSTM(8, stateful=True)])
        >>> model.compile(loss="mse")
        >>> x, y = keras.ops.ones((8, 5, 2)), keras.ops.zeros((8, 8))
        >>> history = model.fit(x, y, batch_size=4, shuffle=False, verbose=0, callbacks=[ResetStates()])
    """

    def __init__(self) -> None:
        super().__init__()
        self._ours: list[LSTM] = []
        self._plain: list[Any] = []
        self._put_aside: list[tuple[Any, Any]] = []

    def set_model(self, model: Any) -> None:
        """Finds the stateful layers of a model, and says which of them cannot work."""
        super().set_model(model)
        found = [layer for layer in _all_layers(model, set()) if getattr(layer, "stateful", False)]
        self._ours = [layer for layer in found if isinstance(layer, LSTM)]
        self._plain = [layer for layer in found if isinstance(layer, keras.layers.RNN) and layer not in self._ours]
        for layer in self._plain:
            _check_works(layer)
        if not self._ours and not self._plain:
            warnings.warn("ResetStates has no effect: the model has no stateful layer.", stacklevel=2)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Zeroes the state of `fit`."""
        for layer in self._ours:
            layer.reset_state(training=True)
        for layer in self._plain:
            layer.reset_state()

    def on_test_begin(self, logs: Any = None) -> None:
        """Zeroes the state of evaluation."""
        self._begin_other()

    def on_test_end(self, logs: Any = None) -> None:
        """Puts the state of `fit` back."""
        self._end_other()

    def on_predict_begin(self, logs: Any = None) -> None:
        """Zeroes the state of prediction."""
        self._begin_other()

    def on_predict_end(self, logs: Any = None) -> None:
        """Puts the state of `fit` back."""
        self._end_other()

    def _begin_other(self) -> None:
        for layer in self._ours:
            layer.reset_state(training=False)
        for layer in self._plain:
            self._put_aside += [(variable, ops.copy(variable)) for variable in layer.states or ()]
            layer.reset_state()

    def _end_other(self) -> None:
        for variable, value in self._put_aside:
            variable.assign(value)
        self._put_aside = []


def _check_works(layer: Any) -> None:
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return
    name = f"{type(layer).__name__} {layer.name!r}"
    remedy = "Use drystone.keras.LSTM(..., stateful=True), which works on every backend."
    if backend == "jax":
        raise DrystoneError(
            f"{name} of Keras itself is stateful; on the JAX backend it carries no state from batch to batch, "
            f"without saying so. {remedy}"
        )
    warnings.warn(
        f"{name} of Keras itself is stateful; on the PyTorch backend training it fails in the backward pass (Keras 3.15), "
        f"unless it has use_cudnn=False, and its state is not saved. {remedy}",
        stacklevel=3,
    )


def _all_layers(layer: Any, seen: set[int]) -> Iterator[Any]:
    """Yields a layer and all layers that it holds, in attributes and in containers there."""
    if id(layer) in seen:
        return
    seen.add(id(layer))
    yield layer
    for value in vars(layer).values():
        for held in _held(value):
            yield from _all_layers(held, seen)


def _held(value: Any) -> Iterator[Any]:
    if isinstance(value, keras.layers.Layer):
        yield value
    elif isinstance(value, dict):
        yield from _held(list(value.values()))
    elif isinstance(value, list | tuple | set):
        for part in value:
            yield from _held(part)
