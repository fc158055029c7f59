"""tf.data: the same batches, epoch after epoch, in fit and in loops of one's own."""

import sys

import keras
import numpy as np
import pytest

from drystone import DrystoneError, Packed, Padded, Stateful
from drystone.keras import Dataset, to_tf_dataset
from tests.keras.small import by_step, loader, sequences

if keras.backend.backend() != "tensorflow":
    pytest.skip("tf.data is TensorFlow's own", allow_module_level=True)

import tensorflow as tf


def test_shapes_that_vary_are_none_in_the_spec() -> None:
    spec = to_tf_dataset(loader(Packed(sequences=4)), x=["x", "valid", "reset", "ends"], y=["t", "y"]).element_spec
    shapes = {name: each.shape.as_list() for part in spec[:2] for name, each in part.items()}
    assert shapes == {
        "x": [None, None, 2], "valid": [None, None], "reset": [None, None], "ends": [None], "t": [None, None, 1], "y": [None],
    }  # fmt: skip
    assert spec[0]["ends"].dtype == tf.int32
    assert spec[2]["t"].dtype == tf.float32


@pytest.mark.parametrize("layout", [Packed(rows=2, steps=9), Stateful(rows=2, steps=4)], ids=repr)
def test_each_pass_is_the_next_epoch(layout: Packed | Stateful) -> None:
    data, own = to_tf_dataset(loader(layout), x=["x", "reset"], y="n"), Dataset(loader(layout), x=["x", "reset"], y="n")
    for _ in range(2):
        for (x, y, weight), (own_x, own_y, own_weight) in zip(data, own, strict=True):
            assert np.array_equal(x["x"], own_x["x"])
            assert np.array_equal(x["reset"], own_x["reset"])
            assert np.array_equal(y, own_y)
            assert np.array_equal(weight, own_weight)
    assert own.source.loader.epoch == 2


def test_fit_prints_the_same_numbers() -> None:
    model = by_step()
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0), weighted_metrics=["mae"])
    own = loader(Padded(4))
    found = model.fit(to_tf_dataset(own, x=["x", "reset"], y="t"), epochs=2, verbose=0, shuffle=False).history
    expected = model.evaluate(Dataset(loader(Padded(4)), x=["x", "reset"], y="t"), verbose=0, return_dict=True)
    assert {name: pytest.approx(values[1], rel=1e-5) for name, values in found.items()} == expected
    assert own.epoch == 2


def test_a_loop_of_ones_own_with_a_tape() -> None:
    model = by_step()
    total = weights = 0.0
    for x, y, weight in to_tf_dataset(loader(Packed(sequences=4)), x=["x", "reset"], y="t"):
        with tf.GradientTape() as tape:
            losses = keras.losses.mean_squared_error(y, model(x))
            loss = tf.reduce_sum(losses * weight) / tf.reduce_sum(weight)
        assert all(gradient is not None for gradient in tape.gradient(loss, model.trainable_variables))
        real = tf.cast(weight > 0, tf.float32)
        total, weights = total + float(tf.reduce_sum(losses * real)), weights + float(tf.reduce_sum(real))
    assert weights == sequences().num_steps
    assert np.isfinite(total)


def test_without_tensorflow_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(DrystoneError, match="needs TensorFlow, which is not installed: pip install tensorflow"):
        to_tf_dataset(loader(Padded(4)), x="x", y="t")


def test_a_look_at_the_first_batch_moves_no_epoch() -> None:
    own = loader(Stateful(rows=2, steps=4))
    data = to_tf_dataset(own, x=["x", "reset"], y="n")
    looks = [float(tf.reduce_sum(y)) for _ in range(2) for _, y, _ in data.take(1)]
    assert looks[0] == looks[1]
    assert own.epoch == 0
    assert sum(1 for _ in data) == len(own)
    assert own.epoch == 1
