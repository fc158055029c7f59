"""Gathering by sequence, against a loop over the steps of each sequence, on real plans."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import drystone as ds
from drystone.keras import BySequence
from drystone.keras.indices import ends_of, segment_of
from tests.keras.differentiate import gradient

Array = np.ndarray[Any, Any]
UNITS = 4
NUM_ENDS = 9
LENGTHS = (3, 1, 5, 2, 7, 4, 1)
LAYOUTS = {
    "padded": ds.Padded(4, order="given"),
    "bucketed": ds.Bucketed(boundaries=(3, 7), batch_size=4, pad_to="boundary"),
    "packed": ds.Packed(rows=3, steps=12),
}
REDUCE: dict[str, Callable[[Array], Array]] = {
    "last": lambda steps: steps[-1],
    "both": lambda steps: np.concatenate([steps[-1, :2], steps[0, 2:]]),
    "mean": lambda steps: steps.mean(0),
    "max": lambda steps: steps.max(0),
}


def layer_of(how: Any) -> BySequence:
    return BySequence("last", bidirectional=True) if how == "both" else BySequence(how)


def first_batch(layout: ds.Layout) -> ds.Batch:
    seqs = ds.Sequences.from_arrays({"step": [np.arange(length) for length in LENGTHS]})
    return ds.collate(seqs, layout.plan(seqs.lengths, seed=3), 0)


def outputs_on(batch: ds.Batch) -> Array:
    """Few values, so that maxima tie, and NaN wherever there is no step."""
    values = np.random.default_rng(0).integers(-3, 4, size=(*batch.shape, UNITS)) / 4
    return np.where(batch.valid[..., None], values, np.nan).astype("float32")


def by_hand(output: Array, batch: ds.Batch, how: str) -> Array:
    found = [REDUCE[how](output[batch.sequence == number]) for number in batch.ends.sequence]
    return np.concatenate([found, np.zeros((NUM_ENDS - len(found), UNITS))])


def gradient_by_hand(output: Array, batch: ds.Batch, how: str, weight: Array) -> Array:
    result = np.zeros_like(output)
    for place, number in enumerate(batch.ends.sequence):
        cells = np.argwhere(batch.sequence == number)
        steps = output[batch.sequence == number]
        share = np.zeros_like(steps)
        if how == "last":
            share[-1] = 1
        elif how == "both":
            share[-1, :2] = share[0, 2:] = 1
        elif how == "mean":
            share[:] = 1 / len(steps)
        else:
            share = (steps == steps.max(0)) / (steps == steps.max(0)).sum(0)
        for cell, part in zip(cells, share, strict=True):
            result[tuple(cell)] = part * weight[place]
    return result


@pytest.mark.parametrize("how", sorted(REDUCE))
@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_values_and_gradients_are_those_of_each_sequence(layout: str, how: str) -> None:
    batch = first_batch(LAYOUTS[layout])
    output, layer = outputs_on(batch), layer_of(how)
    ends, segment = ends_of(batch.grid, NUM_ENDS), segment_of(batch.grid)
    weight = np.random.default_rng(1).normal(size=(NUM_ENDS, UNITS)).astype("float32")
    found = ops.convert_to_numpy(layer(output, ends=ends, segment=segment))
    np.testing.assert_allclose(found, by_hand(output, batch, how), rtol=1e-6, atol=1e-7)
    if how != "mean":
        assert (found == by_hand(output, batch, how)).all()
    slope = gradient(lambda x: ops.sum(ops.multiply(layer(x, ends=ends, segment=segment), weight)), output)
    np.testing.assert_allclose(slope, gradient_by_hand(output, batch, how, weight), rtol=1e-5, atol=1e-7)


def test_the_last_of_one_direction_needs_only_ends() -> None:
    batch = first_batch(LAYOUTS["packed"])
    output, ends = outputs_on(batch), ends_of(batch.grid, NUM_ENDS)
    found = ops.convert_to_numpy(BySequence("last")(output, ends=ends))
    assert (found == by_hand(output, batch, "last")).all()


def test_gaps_within_a_sequence_are_left_out() -> None:
    grid = ds.Grid.from_masks(reset=[[True, False, False, True]], valid=[[True, False, True, True]])
    output = np.array([[[1.0], [np.nan], [3.0], [8.0]]], "float32")
    found = BySequence("mean")(output, ends=ends_of(grid, 2), segment=segment_of(grid))
    assert ops.convert_to_numpy(found).tolist() == [[2.0], [8.0]]


def test_sums_of_half_precision_are_taken_in_float32() -> None:
    output = np.full((1, 3000, 1), 1.5, "float32")
    indices = {"ends": np.array([2999], "int32"), "segment": np.zeros((1, 3000), "int32")}
    for how in ("mean", "max"):
        found = BySequence(how, dtype="float16")(output, **indices)
        assert keras.backend.standardize_dtype(found.dtype) == "float16"
        assert ops.convert_to_numpy(found).tolist() == [[1.5]]


def test_infinite_outputs_make_no_nan() -> None:
    output = np.array([[[-np.inf], [-np.inf], [np.inf], [1.0]]], "float32")
    indices = {"ends": np.array([1, 3], "int32"), "segment": np.array([[0, 0, 1, 1]], "int32")}
    found = ops.convert_to_numpy(BySequence("max")(output, **indices))
    assert found[0] < -1e38  # TensorFlow says its least finite number
    assert found[1] == np.inf


def test_a_functional_model_trains_saves_and_loads(tmp_path: Path) -> None:
    batch = first_batch(LAYOUTS["packed"])
    inputs = {
        "x": keras.Input((None, UNITS), name="x"),
        "ends": keras.Input((), dtype="int32", name="ends"),
        "segment": keras.Input((None,), dtype="int32", name="segment"),
    }
    hidden = keras.layers.Masking()(inputs["x"])  # its mask ends at the layer
    hidden = keras.layers.Dense(UNITS)(hidden)
    pooled = [BySequence("last")(hidden, ends=inputs["ends"])]
    pooled += [BySequence(how)(hidden, ends=inputs["ends"], segment=inputs["segment"]) for how in ("mean", "max")]
    pooled += [BySequence("last", bidirectional=True)(hidden, ends=inputs["ends"], segment=inputs["segment"])]
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.concatenate(pooled)))
    assert model.output_shape == (None, 1)
    x = np.nan_to_num(outputs_on(batch))
    data = {"x": x, "ends": ends_of(batch.grid, NUM_ENDS), "segment": segment_of(batch.grid)}
    y = np.ones((NUM_ENDS, 1), "float32")
    weight = (data["ends"] >= 0).astype("float32")
    model.compile("sgd", "mse")
    losses = [model.train_on_batch(data, y, sample_weight=weight) for _ in range(3)]
    assert float(losses[2]) < float(losses[0])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    found, expected = model.predict_on_batch(data), loaded.predict_on_batch(data)
    assert np.allclose(found, expected, rtol=1e-6)


X = np.zeros((1, 2, UNITS), "float32")
ENDS = np.array([1], "int32")
SEGMENT = np.zeros((1, 2), "int32")


@pytest.mark.parametrize(
    ("layer", "inputs", "message"),
    [
        (lambda: BySequence("first"), {}, "how must be one of last, mean, max; got 'first'"),
        (lambda: BySequence("mean"), {"output": X, "ends": ENDS}, "a mean over all steps must know .* pass segment="),
        (lambda: layer_of("both"), {"output": X, "ends": ENDS}, "backward direction must know .* pass segment="),
        (lambda: layer_of("both"), {"output": X[..., :3], "ends": ENDS, "segment": SEGMENT}, "output has 3 units"),
        (lambda: BySequence("last"), {"output": X[0], "ends": ENDS}, r"output has shape \(2, 4\); expected \[rows"),
        (lambda: BySequence("last"), {"output": X, "ends": ENDS[None]}, r"ends is int32 of shape \(1, 1\); expected"),
        (lambda: BySequence("last"), {"output": X, "ends": ENDS.astype("float32")}, "ends is float32 of shape"),
        (lambda: BySequence("max"), {"output": X, "ends": ENDS, "segment": ENDS}, r"segment is int32 of shape \(1,\)"),
    ],
)
def test_bad_input_is_refused_in_words(layer: Any, inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(ds.ShapeError, match=message):
        layer()(*[inputs.pop("output")], **inputs)


def test_a_symbolic_model_is_refused_in_words() -> None:
    with pytest.raises(ds.ShapeError, match="pass segment="):
        BySequence("mean")(keras.Input((None, UNITS)), ends=keras.Input((), dtype="int32"))
