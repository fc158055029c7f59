"""State from batch to batch: carried, kept apart, zeroed, saved, learned from; on every backend."""

import re
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from drystone.core.errors import DrystoneError, ShapeError
from drystone.keras import LSTM, Bidirectional, ResetStates
from tests.keras.own_loop import value_and_gradients

Array = np.ndarray[Any, Any]
ROWS, STEPS, UNITS = 3, 4, 5
BACKEND = keras.backend.backend()


def chunks(count: int = 3, rows: int = ROWS) -> list[Array]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(rows, STEPS, 2)).astype("float32") for _ in range(count)]


def stateful_model(rows: int = ROWS) -> Any:
    model = keras.Sequential([keras.Input((None, 2)), LSTM(UNITS, stateful=True, max_rows=rows)])
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse")
    return model


def kept(model: Any, *, training: bool) -> list[Array]:
    return [ops.convert_to_numpy(part).copy() for part in model.layers[0].kept_state.of(training=training)]


def long_pass(model: Any, x: Array) -> list[Array]:
    """Returns the output, h and c of one run over everything, without keeping any."""
    layer = LSTM(UNITS, return_state=True)
    layer.build(x.shape)
    layer.set_weights(model.get_weights())
    return [ops.convert_to_numpy(part) for part in layer(x)]


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-7)


def target(x: Array) -> Array:
    return np.zeros((len(x), UNITS), "float32")


def test_fit_in_chunks_is_one_long_pass_and_evaluation_does_not_disturb_it() -> None:
    model, parts = stateful_model(), chunks()
    together, stacked = np.concatenate(parts, axis=1), np.concatenate(parts)
    model.fit(stacked, target(stacked), batch_size=ROWS, shuffle=False, verbose=0)
    _, *state = long_pass(model, together)
    for found, expected in zip(kept(model, training=True), state, strict=True):
        close(found, expected)
    before = kept(model, training=True)
    model.evaluate(stacked, target(stacked), batch_size=ROWS, verbose=0)
    model.layers[0].reset_state(training=False)
    outputs = model.predict(stacked, batch_size=ROWS, verbose=0)
    close(outputs[-ROWS:], long_pass(model, together)[0])
    for found, expected in zip(kept(model, training=True), before, strict=True):
        np.testing.assert_array_equal(found, expected)
    for found, expected in zip(kept(model, training=False), state, strict=True):
        close(found, expected)


def test_train_on_batch_and_predict_on_batch_carry_each_their_own() -> None:
    model, (first, second) = stateful_model(), chunks(2)
    model.train_on_batch(first, target(first))
    np.testing.assert_array_equal(kept(model, training=False)[0], 0)
    model.predict_on_batch(first)
    before = kept(model, training=True)
    close(model.predict_on_batch(second), long_pass(model, np.concatenate([first, second], axis=1))[0])
    for found, expected in zip(kept(model, training=True), before, strict=True):
        np.testing.assert_array_equal(found, expected)
    model.train_on_batch(second, target(second))
    _, *state = long_pass(model, np.concatenate([first, second], axis=1))
    for found, expected in zip(kept(model, training=True), state, strict=True):
        close(found, expected)
    model.layers[0].reset_state()
    assert all((part == 0).all() for training in (True, False) for part in kept(model, training=training))


def test_fewer_rows_leave_the_others_as_they_are() -> None:
    model, (first, second) = stateful_model(), chunks(2)
    model.predict_on_batch(first)
    before = kept(model, training=False)
    close(model.predict_on_batch(second[:2]), long_pass(model, np.concatenate([first, second], axis=1))[0][:2])
    for found, expected in zip(kept(model, training=False), before, strict=True):
        np.testing.assert_array_equal(found[2:], expected[2:])


def test_more_rows_than_the_state_are_refused() -> None:
    model = stateful_model()
    (x,) = chunks(1, rows=4)
    with pytest.raises(Exception, match="at most 3 rows; this batch has") as found:
        model.predict_on_batch(x)
    assert BACKEND == "tensorflow" or isinstance(found.value, ShapeError)
    with pytest.raises(ShapeError, match="at most 3 rows; this batch has 4 rows"):
        model.layers[0](x)


@pytest.mark.skipif(BACKEND != "jax", reason="only on JAX do errors inside of fit lose the weights")
def test_a_first_batch_of_too_many_rows_is_refused_before_weights_can_be_lost() -> None:
    model = stateful_model()
    weights = model.get_weights()
    (x,) = chunks(1, rows=4)
    with pytest.raises(Exception, match="at most 3 rows"):
        model.fit(x, target(x), batch_size=4, verbose=0)
    for found, expected in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_reset_in_the_data_zeroes_its_row_only() -> None:
    layer = LSTM(UNITS, stateful=True, max_rows=ROWS)
    first, second = chunks(2)
    layer(first)
    reset = np.zeros((ROWS, STEPS), bool)
    reset[1, 0] = True
    found = ops.convert_to_numpy(layer(second, reset=reset))
    plain = LSTM(UNITS)
    plain.build(first.shape)
    plain.set_weights(layer.get_weights())
    close(found[1], ops.convert_to_numpy(plain(second))[1])
    whole = ops.convert_to_numpy(plain(np.concatenate([first, second], axis=1)))
    close(found[[0, 2]], whole[[0, 2]])


def test_a_saved_model_goes_on_with_its_state(tmp_path: Path) -> None:
    model, (first, second) = stateful_model(), chunks(2)
    model.train_on_batch(first, target(first))
    model.predict_on_batch(first[:2])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for training in (True, False):
        for found, expected in zip(kept(loaded, training=training), kept(model, training=training), strict=True):
            np.testing.assert_array_equal(found, expected)
    for each in (model, loaded):
        each.train_on_batch(second, target(second))
    for found, expected in zip(kept(loaded, training=True), kept(model, training=True), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_state_of_a_file_must_fit(tmp_path: Path) -> None:
    stateful_model().save_weights(tmp_path / "of.weights.h5")
    with pytest.raises(
        ValueError, match=re.escape("3 rows × 5 units; this layer keeps 4 × 5. Build it with max_rows=3")
    ):
        stateful_model(4).load_weights(tmp_path / "of.weights.h5")


def test_own_loops_carry_state_and_cut_gradients() -> None:
    layer = LSTM(UNITS, stateful=True, max_rows=ROWS)
    layer.build((None, None, 2))
    first, second = chunks(2)
    for x in (first, second):
        output, _, gradients = value_and_gradients(layer, x, lambda output: ops.sum(output**2), training=True)
    plain = LSTM(UNITS, return_state=True)
    plain.build((None, None, 2))
    plain.set_weights(layer.get_weights())
    _, *state = (ops.convert_to_numpy(part) for part in plain(first))
    expected, _, wanted = value_and_gradients(plain, second, lambda found: ops.sum(found[0] ** 2), initial_state=state)
    close(output, expected[0])
    for found, gradient in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(found, gradient, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LSTM(2, max_rows=3), "max_rows=3 has no effect without stateful=True"),
        (lambda: LSTM(2, stateful=True, max_rows=0), "max_rows must be a whole number of at least 1; got 0"),
        (lambda: LSTM(2, stateful=True).build((None, 4, 2)), "must know the most rows"),
        (
            lambda: Bidirectional(LSTM(2, stateful=True, max_rows=3))(chunks(1)[0], reset=np.ones((ROWS, STEPS), bool)),
            "a backward direction needs every sequence whole in one batch",
        ),
    ],
)
def test_what_cannot_be_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=re.escape(message)):
        make()


def test_the_rows_come_from_the_batch_size_of_the_input() -> None:
    layer = LSTM(UNITS, stateful=True)
    layer(keras.Input((None, 2), batch_size=7))
    assert [tuple(part.shape) for part in layer.kept_state.variables] == [(7, UNITS)] * 4
    assert len(layer.get_weights()) == 3
    assert len(layer.non_trainable_variables) == 5  # and the seed of dropout


def copy_task() -> tuple[Array, Array]:
    """A bit at the first step of each row, asked for in each of three chunks: the last two say nothing of it."""
    rows, steps, count = 16, 3, 3
    bits = np.random.default_rng(0).integers(0, 2, rows)
    x = np.zeros((count, rows, steps, 2), "float32")
    x[0, :, 0, 0], x[0, :, 0, 1] = 2 * bits - 1, 1
    y = np.broadcast_to(bits[None, :, None], (count, rows, 1)).astype("float32")
    return x.reshape(-1, steps, 2), y.reshape(-1, 1)


def learned(layer: Any, callbacks: list[Any]) -> float:
    """Trains on the copy task; returns the accuracy in the chunks that only memory can answer."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3, 2), batch_size=16), layer, keras.layers.Dense(1)])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.05), loss=loss)
    x, y = copy_task()
    model.fit(x, y, batch_size=16, epochs=40, shuffle=False, verbose=0, callbacks=callbacks)
    found = model.predict(x, batch_size=16, verbose=0, callbacks=callbacks) > 0
    return float((found == (y > 0))[16:].mean())


def test_memory_across_batches_is_learned_where_keras_own_layer_cannot() -> None:
    assert learned(LSTM(8, stateful=True), [ResetStates()]) == 1.0
    plain = keras.layers.LSTM(8, stateful=True)
    match BACKEND:
        case "tensorflow":
            assert learned(plain, [ResetStates()]) == 1.0
        case "jax":
            assert learned(plain, []) < 0.75
        case _:
            with pytest.raises(RuntimeError, match="inplace operation"):
                learned(plain, [])


def test_reset_states_zeroes_at_the_start_of_every_pass() -> None:
    model, parts = stateful_model(), chunks(2)
    x = np.concatenate(parts)
    options = {"batch_size": ROWS, "verbose": 0, "callbacks": [ResetStates()]}
    model.fit(
        x, target(x), shuffle=False, epochs=2, validation_data=(x, target(x)), validation_batch_size=ROWS, **options
    )
    _, *state = long_pass(model, np.concatenate(parts, axis=1))
    for training in (True, False):
        for found, expected in zip(kept(model, training=training), state, strict=True):
            close(found, expected)
    again = [model.predict(x, **options) for _ in range(2)]
    np.testing.assert_array_equal(*again)
    np.testing.assert_array_equal(*[model.evaluate(x, target(x), **options) for _ in range(2)])


def test_reset_states_says_where_keras_own_layer_cannot_work() -> None:
    nested = keras.Sequential(
        [keras.Input((4, 2), batch_size=ROWS), keras.layers.LSTM(UNITS, stateful=True, name="own")]
    )
    model = keras.Sequential([keras.Input((4, 2), batch_size=ROWS), nested])
    callback = ResetStates()
    if BACKEND == "tensorflow":
        callback.set_model(model)
        (x,) = chunks(1)
        model(x)
        before = ops.convert_to_numpy(nested.layers[0].states[0])
        callback.on_predict_begin()
        np.testing.assert_array_equal(nested.layers[0].states[0], 0)
        model(2 * x)
        callback.on_predict_end()
        np.testing.assert_array_equal(nested.layers[0].states[0], before)
    elif BACKEND == "jax":
        with pytest.raises(
            DrystoneError, match=re.escape("LSTM 'own' of Keras itself is stateful; on the JAX backend")
        ):
            callback.set_model(model)
    else:
        with pytest.warns(UserWarning, match=re.escape("Use drystone.keras.LSTM(..., stateful=True)")):
            callback.set_model(model)


def test_reset_states_finds_layers_wherever_they_are() -> None:
    class Held(keras.layers.Layer):
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.by_name = {"inner": [inner]}

        def call(self, x: Any) -> Any:
            return self.by_name["inner"][0](x)

    layer = LSTM(UNITS, stateful=True, max_rows=ROWS)
    model = keras.Sequential([keras.Input((4, 2)), Held(keras.layers.Bidirectional(layer))])
    callback = ResetStates()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        callback.set_model(model)
    model(chunks(1)[0])
    states = [part for part in model.non_trainable_variables if "kept_state" in part.path]
    assert sum(float(ops.sum(ops.abs(part))) for part in states) > 0
    callback.on_predict_begin()
    assert sum(float(ops.sum(ops.abs(part))) for part in states) == 0


def test_reset_states_without_a_stateful_layer_warns() -> None:
    model = keras.Sequential([keras.Input((4, 2)), LSTM(UNITS)])
    with pytest.warns(UserWarning, match="no effect: the model has no stateful layer"):
        ResetStates().set_model(model)
