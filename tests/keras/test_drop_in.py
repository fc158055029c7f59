"""What is asked of `keras.layers.LSTM` itself holds for ours: shapes, settings, weights, states, files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from drystone.core.errors import ShapeError
from drystone.keras import LSTM, Bidirectional

Array = np.ndarray[Any, Any]
BACKEND = keras.backend.backend()
ROWS, STEPS, FEATURES, UNITS = 3, 5, 4, 2


@pytest.fixture(autouse=True)
def op_by_op() -> Iterator[None]:
    """Compiles nothing on JAX, which would take most of the time; what is compiled is tested in the other files."""
    if BACKEND != "jax":
        yield
        return
    import jax

    with jax.disable_jit():
        yield


@pytest.fixture
def x() -> Array:
    return np.random.default_rng(0).normal(size=(ROWS, STEPS, FEATURES)).astype("float32")


def arrays(values: Any) -> list[Array]:
    return [ops.convert_to_numpy(value) for value in keras.tree.flatten(values)]


def pair(x: Array, **settings: Any) -> tuple[Any, LSTM]:
    """Returns Keras' layer and ours, with equal weights."""
    plain, ours = keras.layers.LSTM(UNITS, **settings), LSTM(UNITS, **settings)
    for layer in (plain, ours):
        layer.build(x.shape)
    ours.set_weights(plain.get_weights())
    return plain, ours


def agree(found: Any, expected: Any) -> None:
    for part, wanted in zip(arrays(found), arrays(expected), strict=True):
        np.testing.assert_allclose(part, wanted, rtol=1e-5, atol=1e-6)


SETTINGS: list[dict[str, Any]] = [
    {},
    {"return_sequences": True},
    {"return_state": True},
    {"return_sequences": True, "return_state": True, "go_backwards": True},
    {"go_backwards": True},
    {"unroll": True},
    {"use_bias": False},
    {"unit_forget_bias": False, "bias_initializer": "ones"},
    {"activation": "relu", "recurrent_activation": "hard_sigmoid"},
    {"implementation": 1},
    {"use_cudnn": False},
    {"dropout": 0.5, "recurrent_dropout": 0.5},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_it_computes_what_keras_layer_does(x: Array, settings: dict[str, Any]) -> None:
    plain, ours = pair(x, **settings)
    state = [np.full((ROWS, UNITS), 0.5, "float32"), np.full((ROWS, UNITS), -2, "float32")]
    agree(ours(x, initial_state=state), plain(x, initial_state=state))
    assert ours.compute_output_shape(x.shape) == plain.compute_output_shape(x.shape)
    found = ours(x)
    agree(found, ours(x, initial_state=[0 * part for part in state]))
    symbolic = ours(keras.Input(x.shape[1:], batch_size=ROWS))
    assert [tuple(part.shape) for part in keras.tree.flatten(symbolic)] == [part.shape for part in arrays(found)]


@pytest.mark.parametrize("settings", [{}, {"go_backwards": True}, {"unroll": True}, {"return_state": True}], ids=str)
def test_a_mask_of_keras_leaves_steps_out(x: Array, settings: dict[str, Any]) -> None:
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]], bool)
    if settings.get("go_backwards"):
        mask = mask[:, ::-1].copy()
    plain, ours = pair(x, use_cudnn=False, **settings)
    agree(ours(x, mask=mask), plain(x, mask=mask))
    agree(ours(x, valid=mask), plain(x, mask=mask))


def test_masked_steps_output_zero_and_the_mask_goes_on(x: Array) -> None:
    x[0, 3:] = 0
    x[2, 1:] = 0
    mask = (x != 0).any(axis=2)
    plain, ours = pair(x, return_sequences=True, zero_output_for_mask=True, use_cudnn=False)
    masking = keras.layers.Masking()
    found = ours(masking(x))
    agree(found, plain(x, mask=mask))
    np.testing.assert_array_equal(ops.convert_to_numpy(found._keras_mask), mask)
    second = LSTM(UNITS)
    second.build((None, None, UNITS))
    agree(second(found), second(ops.convert_to_numpy(found), valid=mask))


def test_a_propagated_mask_also_counts_beside_other_tensors(x: Array) -> None:
    x[0, 3:] = 0
    mask = (x != 0).any(axis=2)
    _, ours = pair(x)
    reset = np.zeros((ROWS, STEPS), bool)
    reset[:, 2] = True
    masked = keras.layers.Masking()(x)
    agree(ours(masked, reset=reset), ours(x, reset=reset, valid=mask))
    valid = np.ones((ROWS, STEPS), bool)
    valid[1, 4] = False
    agree(ours(masked, reset=reset, valid=valid), ours(x, reset=reset, valid=mask & valid))


def test_weights_regularizers_and_seeds_are_counted_as_in_keras(x: Array) -> None:
    settings = {"dropout": 0.5, "kernel_regularizer": "l2", "recurrent_regularizer": "l1", "bias_regularizer": "l2"}
    plain, ours = pair(x, **settings)
    for layer in (plain, ours):
        layer(x)
    for name in ("trainable_weights", "non_trainable_weights", "variables", "losses"):
        assert len(getattr(ours, name)) == len(getattr(plain, name)), name
    agree(ours.losses, plain.losses)
    assert [weight.path.split("/")[1:] for weight in ours.weights] == [
        weight.path.split("/")[1:] for weight in plain.weights
    ]


def test_dropout_drops_the_same_inputs_at_all_steps() -> None:
    ones = np.ones((200, 3, 1), "float32")
    layer = LSTM(1, dropout=0.4, seed=1, return_sequences=True)
    layer.build(ones.shape)
    kept, dropped = (ops.convert_to_numpy(layer(value * ones)) for value in (1 / 0.6, 0.0))
    found = ops.convert_to_numpy(layer(ones, training=True))
    is_kept = np.isclose(found, kept, atol=1e-6).all(axis=(1, 2))
    is_dropped = np.isclose(found, dropped, atol=1e-6).all(axis=(1, 2))
    assert (is_kept ^ is_dropped).all()
    assert 90 < is_kept.sum() < 150


@pytest.mark.parametrize(
    "settings", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}, {"dropout": 0.5, "implementation": 1}]
)
def test_dropouts_act_in_training_only_and_with_masks_too(x: Array, settings: dict[str, Any]) -> None:
    _, ours = pair(x, **settings, seed=3)
    valid = np.ones((ROWS, STEPS), bool)
    assert not np.allclose(*arrays([ours(x, valid=valid, training=True), ours(x, valid=valid)]))
    agree(ours(x, valid=valid), ours(x))


def test_settings_make_an_equal_layer() -> None:
    layer = LSTM(7, activation="relu", dropout=0.1, stateful=True, max_rows=4, go_backwards=True, unroll=True)
    again = LSTM.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.max_rows == 4
    plain = keras.layers.LSTM(7).get_config()
    assert {**plain, "max_rows": None, "name": ""} == {**LSTM(7).get_config(), "name": ""}


def model_of(layer: Any) -> Any:
    return keras.Sequential([keras.Input((None, FEATURES)), layer, keras.layers.Dense(1)])


def test_models_are_saved_and_loaded(x: Array, tmp_path: Path) -> None:
    inputs = keras.Input((None, FEATURES))
    masks = [keras.Input((None,), dtype="bool", name=name) for name in ("reset", "valid")]
    hidden = Bidirectional(LSTM(UNITS, return_sequences=True))(inputs, reset=masks[0], valid=masks[1])
    output, h, _ = LSTM(UNITS, return_state=True)(hidden, reset=masks[0], valid=masks[1])
    model = keras.Model([inputs, *masks], [output, h])
    model.save(tmp_path / "model.keras")
    valid = np.ones((ROWS, STEPS), bool)
    reset = np.zeros((ROWS, STEPS), bool)
    reset[:, [0, 2]] = True
    agree(keras.models.load_model(tmp_path / "model.keras")([x, reset, valid]), model([x, reset, valid]))


def test_weights_load_both_ways(tmp_path: Path) -> None:
    plain, ours = model_of(keras.layers.LSTM(UNITS, name="lstm")), model_of(LSTM(UNITS, name="lstm"))
    kept = model_of(LSTM(UNITS, name="lstm", stateful=True, max_rows=ROWS))
    path = tmp_path / "of.weights.h5"
    for source in (plain, ours, kept):
        source.save_weights(path)
        weights = source.get_weights()
        for target in (plain, ours, kept):
            target.set_weights([0 * weight for weight in target.get_weights()])
            target.load_weights(path)
            agree(target.get_weights(), weights)
            target.set_weights(source.get_weights())


@pytest.mark.parametrize("merge_mode", ["concat", "sum", "ave", "mul", None])
def test_both_wrappers_for_two_directions_take_it(x: Array, merge_mode: str | None) -> None:
    plain = keras.layers.Bidirectional(keras.layers.LSTM(UNITS, return_state=True), merge_mode=merge_mode)
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]], bool)
    expected = plain(x, mask=mask)
    for wrapper in (keras.layers.Bidirectional, Bidirectional):
        both = wrapper(LSTM(UNITS, return_state=True), merge_mode=merge_mode)
        both.build(x.shape)
        both.set_weights(plain.get_weights())
        agree(both(x, mask=mask), expected)
        assert isinstance(both.backward_layer, LSTM)
        assert both.backward_layer.go_backwards
        assert both.compute_output_shape(x.shape) == plain.compute_output_shape(x.shape)
    agree(both(x, valid=mask), expected)
    assert Bidirectional.from_config(both.get_config()).merge_mode == merge_mode


def test_half_precision_runs_and_keeps_weights_in_float32(x: Array) -> None:
    layer = LSTM(UNITS, dtype="mixed_bfloat16", stateful=True, max_rows=ROWS)
    output = layer(x, valid=np.ones((ROWS, STEPS), bool))
    assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"
    assert {str(variable.dtype) for variable in (*layer.weights, *layer.kept_state.variables)} == {"float32"}
    exact = LSTM(UNITS)
    exact.build(x.shape)
    exact.set_weights(layer.get_weights())
    np.testing.assert_allclose(*arrays([ops.cast(output, "float32"), exact(x)]), atol=0.02)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"valid": np.ones((ROWS, STEPS), "float32")}, "valid is float32 of shape (3, 5); expected bool [rows, steps]"),
    (
        {"reset": np.ones((ROWS, STEPS + 1), bool)},
        "reset is bool of shape (3, 6); expected bool [rows, steps] of shape (3, 5)",
    ),
    ({"valid": np.ones((ROWS, STEPS, 1), bool)}, "valid is bool of shape (3, 5, 1)"),
    ({"valid": True}, "valid is a bool; pass a bool array or tensor"),
    ({"initial_state": np.ones((ROWS, STEPS), bool)}, "Masks are passed by name: lstm(x, reset=..., valid=...)"),
    (
        {"initial_state": [np.ones((ROWS, UNITS), "f"), np.ones((ROWS, 9), "f")]},
        "c of the initial state has shape (3, 9)",
    ),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=[message[:20] for _, message in BAD])
def test_bad_input_is_named(x: Array, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ShapeError) as error:
        LSTM(UNITS)(x, **options)
    assert message in str(error.value)


def test_bad_masks_are_named_when_a_model_is_put_together() -> None:
    inputs, valid = keras.Input((None, FEATURES)), keras.Input((None,), name="valid")
    for layer in (LSTM(UNITS), Bidirectional(LSTM(UNITS))):
        with pytest.raises(ShapeError, match="valid is float32 of shape"):
            layer(inputs, valid=valid)


def test_masks_that_cannot_be_served_are_refused(x: Array) -> None:
    reset = np.zeros((ROWS, STEPS), bool)
    reset[:, 2] = True
    with pytest.raises(ShapeError, match="does not start with a reset, so it goes on from another batch"):
        LSTM(UNITS, go_backwards=True)(x, reset=reset)
    with pytest.raises(
        ShapeError, match=r"layers.*\.GRU knows no resets and no valid cells; wrap a drystone.keras.LSTM"
    ):
        Bidirectional(keras.layers.GRU(UNITS))(x, reset=reset)
    if BACKEND != "torch":
        with pytest.raises(ShapeError, match="use_cudnn=True on .* knows no resets"):
            LSTM(UNITS, use_cudnn=True)(x, reset=reset)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="only a graph of TensorFlow has assertions")
def test_a_graph_of_tensorflow_refuses_broken_sequences_when_it_runs(x: Array) -> None:
    inputs, reset = keras.Input((None, FEATURES)), keras.Input((None,), dtype="bool")
    model = keras.Model([inputs, reset], Bidirectional(LSTM(UNITS))(inputs, reset=reset))
    with pytest.raises(Exception, match="does not start with a reset"):
        model.predict([x, np.zeros((ROWS, STEPS), bool)], verbose=0)
