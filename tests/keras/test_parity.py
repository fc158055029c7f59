"""From equal weights, the layer gives what one sequence at a time gives: outputs, states and gradients."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import drystone as ds
from drystone.core.layouts import Layout
from drystone.keras import LSTM, Bidirectional
from tests.keras.own_loop import value_and_gradients
from tests.keras.plain_lstm import (
    Loss,
    Parameters,
    assert_close,
    over_batch,
    random_loss,
    turned,
    turned_back,
)

Array = np.ndarray[Any, Any]
FEATURES, UNITS = 3, 5
LENGTHS = [4, 7, 1, 3, 7, 2, 5, 1, 6]
LAYOUTS = {
    "padded": ds.Padded(9),
    "bucketed": ds.Bucketed(boundaries=(4,), batch_size=5, pad_to="boundary"),
    "packed": ds.Packed(rows=2, steps=11, constant_shape=True),
    "packed with gaps": ds.Packed(rows=2, steps=14, gap=1, constant_shape=True),
    "stateful": ds.Stateful(rows=3, steps=5),
}


def batches_of(layout: Layout) -> list[ds.Batch]:
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(length, FEATURES)).astype("float32") for length in LENGTHS]
    seqs = ds.Sequences.from_arrays(per_step={"x": values})
    plan = layout.plan(seqs.lengths, seed=0, epoch=0)
    return [ds.collate(seqs, plan, number) for number in range(plan.num_batches)]


def built(layer: Any) -> Any:
    layer.build((None, None, FEATURES))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=weight.shape) * 0.5 for weight in layer.get_weights()])
    return layer


def parameters_of(layer: Any) -> Parameters:
    return Parameters(*(weight.astype(np.float64) for weight in layer.get_weights()))


def weighted(loss: Sequence[Array]) -> Any:
    weights = [ops.convert_to_tensor(part.astype("float32")) for part in loss]
    return lambda values: sum(ops.sum(value * weight) for value, weight in zip(values, weights, strict=True))


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layer_equals_one_sequence_at_a_time(name: str) -> None:
    batches = batches_of(LAYOUTS[name])
    max_rows = max(batch.shape[0] for batch in batches)
    layer = built(LSTM(UNITS, return_sequences=True, return_state=True, stateful=True, max_rows=max_rows))
    state = np.zeros((max_rows, UNITS)), np.zeros((max_rows, UNITS))
    for number, batch in enumerate(batches):
        rows, steps = batch.shape
        loss = random_loss(rows, steps, UNITS, np.random.default_rng(number))
        expected = over_batch(batch, (state[0][:rows], state[1][:rows]), parameters_of(layer), loss)
        (output, h, c), by_x, gradients = value_and_gradients(
            layer, batch["x"], weighted(loss), reset=batch.reset, valid=batch.valid, training=True
        )
        assert (output[~batch.valid] == 0).all()
        assert_close(output, expected.output, what="output")
        assert_close(h, expected.h, what="h")
        assert_close(c, expected.c, what="c")
        assert_close(by_x, expected.x_gradient, what="gradient of the inputs")
        for found, wanted, weight in zip(gradients, expected.gradients, layer.trainable_weights, strict=True):
            assert_close(found, wanted, what=weight.path)
        for part, kept, after in zip(layer.kept_state.of(training=True), state, expected[1:3], strict=True):
            kept[:rows] = after
            assert_close(ops.convert_to_numpy(part), kept, what="kept state")


def test_both_directions_equal_one_sequence_at_a_time() -> None:
    layer = built(Bidirectional(LSTM(UNITS, return_sequences=True)))
    forward, back = (parameters_of(part) for part in (layer.forward_layer, layer.backward_layer))
    batch = batches_of(LAYOUTS["packed with gaps"])[0]
    rows, steps = batch.shape
    zeros = np.zeros((rows, UNITS))
    loss = random_loss(rows, steps, 2 * UNITS, np.random.default_rng(0))
    losses = [Loss(part, zeros, zeros) for part in np.split(loss.output, 2, axis=2)]
    ahead = over_batch(batch, (zeros, zeros), forward, losses[0])
    losses[1] = losses[1]._replace(output=turned_back(losses[1].output, batch))
    behind = over_batch(turned(batch), (zeros, zeros), back, losses[1])
    output, by_x, gradients = value_and_gradients(
        layer, batch["x"], lambda found: weighted(loss[:1])([found]), reset=batch.reset, valid=batch.valid
    )
    expected = np.concatenate([ahead.output, turned_back(behind.output, batch)], axis=2)
    assert_close(output, expected, what="output")
    assert_close(by_x, ahead.x_gradient + turned_back(behind.x_gradient, batch), what="gradient of the inputs")
    for found, wanted in zip(gradients, [*ahead.gradients, *behind.gradients], strict=True):
        assert_close(found, wanted, what="gradient of a weight")


def test_random_masks_follow_the_contract() -> None:
    """Gaps within sequences, rows without any valid cell, resets on invalid cells: many rows at once."""
    from tests.contract import oracle

    rng = np.random.default_rng(4)
    rows, steps = 60, 7
    valid = rng.random((rows, steps)) < np.repeat([0.0, 0.3, 0.8, 1.0], 15)[:, None]
    reset = rng.random((rows, steps)) < np.tile([0.0, 0.3, 0.6], 20)[:, None]
    x, h, c = (rng.normal(size=shape).astype("float32") for shape in [(rows, steps, 3), (rows, UNITS), (rows, UNITS)])
    x[~valid] = np.nan
    layer = built(LSTM(UNITS, return_sequences=True, return_state=True))
    kernel, recurrent, bias = parameters_of(layer)
    expected = oracle.over_grid(np.nan_to_num(x), valid, reset, h, c, oracle.Weights(kernel.T, recurrent.T, bias))
    loss = random_loss(rows, steps, UNITS, rng)
    found, by_x, gradients = value_and_gradients(
        layer, x, weighted(loss), initial_state=[h, c], reset=reset, valid=valid
    )
    for what, part, wanted in zip(("output", "h", "c"), found, expected, strict=True):
        assert_close(part, wanted, what=what)
    assert (by_x[~valid] == 0).all()
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    last_only = built(LSTM(UNITS))(x, initial_state=[h, c], reset=reset, valid=valid)
    for row, output in enumerate(ops.convert_to_numpy(last_only)):
        steps_of_row = np.flatnonzero(valid[row])
        wanted = expected[0][row, steps_of_row[-1]] if len(steps_of_row) else np.zeros(UNITS)
        assert_close(output, wanted, what=f"last output of row {row}")


def test_backward_through_each_sequence_of_a_row() -> None:
    batch = batches_of(LAYOUTS["packed with gaps"])[0]
    layer = built(LSTM(UNITS, go_backwards=True))
    rows, steps = batch.shape
    zeros = np.zeros((rows, UNITS))
    expected = over_batch(
        turned(batch), (zeros, zeros), parameters_of(layer), random_loss(rows, steps, UNITS, np.random.default_rng(0))
    )
    found = layer(batch["x"], initial_state=[zeros + 9, zeros - 9], reset=batch.reset, valid=batch.valid)
    firsts = [np.flatnonzero(batch.spans.row == row)[0] for row in range(rows)]
    wanted = [expected.output[row, batch.spans.stop[first] - 1] for row, first in enumerate(firsts)]
    assert_close(ops.convert_to_numpy(found), np.array(wanted), what="output at each row's first step")


def test_nan_does_not_cross_a_reset() -> None:
    layer = built(LSTM(UNITS, return_sequences=True))
    x = np.ones((2, 6, FEATURES), "float32")
    x[0, 1] = np.nan
    reset = np.zeros((2, 6), bool)
    reset[:, [0, 3]] = True
    output = ops.convert_to_numpy(layer(x, reset=reset))
    assert np.isnan(output[0, 1:3]).all()
    assert np.isfinite(output[0, 3:]).all()
    for part in (output[0, 3:], output[1, :3]):
        assert_close(part, output[1, 3:].astype(np.float64), what="the same inputs after a reset")


def test_keras_and_torch_agree() -> None:
    """drystone.torch.LSTM and drystone.keras.LSTM from the same weights, on the same batch."""
    import torch

    from drystone import torch as ours_on_torch

    batch = batches_of(LAYOUTS["packed"])[0]
    layer = built(LSTM(UNITS, return_sequences=True, return_state=True))
    kernel, recurrent, bias = layer.get_weights()
    theirs = ours_on_torch.LSTM(FEATURES, UNITS)
    weights = {"weight_ih_l0": kernel.T, "weight_hh_l0": recurrent.T, "bias_ih_l0": bias, "bias_hh_l0": 0 * bias}
    theirs.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in weights.items()})
    loss = random_loss(*batch.shape, UNITS, np.random.default_rng(0))
    (output, h, c), by_x, gradients = value_and_gradients(
        layer, batch["x"], weighted(loss), reset=batch.reset, valid=batch.valid
    )
    x = torch.from_numpy(batch["x"]).requires_grad_()
    run = theirs.run(x, batch.grid)
    values = (run.output, run.state[0][0], run.state[1][0])
    sum((value * torch.from_numpy(part)).sum() for value, part in zip(values, loss, strict=True)).backward()
    for found, wanted in zip((output, h, c), values, strict=True):
        assert_close(found, wanted.detach().double().numpy(), what="value")
    assert_close(by_x, x.grad.double().numpy(), what="gradient of the inputs")
    wanted = [theirs.weight_ih_l0.grad.T, theirs.weight_hh_l0.grad.T, theirs.bias_ih_l0.grad]
    for found, gradient in zip(gradients, wanted, strict=True):
        assert_close(found, gradient.double().numpy(), what="gradient of a weight")


def test_the_plain_run_is_what_keras_does_with_one_sequence() -> None:
    layer = built(keras.layers.LSTM(UNITS, return_sequences=True, return_state=True))
    batch = batches_of(ds.Padded(1, order="given"))[0]
    zeros = np.zeros((1, UNITS))
    loss = random_loss(1, LENGTHS[0], UNITS, np.random.default_rng(0))
    expected = over_batch(batch, (zeros, zeros), parameters_of(layer), loss)
    (output, h, c), by_x, gradients = value_and_gradients(layer, batch["x"], weighted(loss))
    for found, wanted in zip([output, h, c, by_x, *gradients], [*expected[:4], *expected.gradients], strict=True):
        assert_close(found, wanted, what="value or gradient")


def test_a_model_that_is_compiled_gives_the_same() -> None:
    """Batches of two shapes, with masks, in a functional model."""
    x = np.random.default_rng(0).normal(size=(3, 5, FEATURES)).astype("float32")
    inputs = {
        "x": keras.Input((None, FEATURES), name="x"),
        "valid": keras.Input((None,), dtype="bool", name="valid"),
    }
    layer = LSTM(UNITS)
    model = keras.Model(inputs, layer(inputs["x"], valid=inputs["valid"]))
    model.compile("sgd", "mse")
    valid = np.ones((3, 5), bool)
    valid[1, 2:] = False
    model.train_on_batch({"x": x, "valid": valid}, np.zeros((3, UNITS)))
    for steps in (5, 3):
        data = {"x": x[:, :steps], "valid": valid[:, :steps]}
        found = ops.convert_to_numpy(layer(data["x"], valid=data["valid"]))
        assert_close(model.predict_on_batch(data), found.astype("float64"), what="output")
