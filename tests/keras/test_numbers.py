"""What fit and evaluate print is a sum over a sum, over the whole epoch, however unequal its batches."""

from typing import Any

import keras
import numpy as np
import pytest

from drystone import Layout, Packed, Padded, Sequences, Stateful
from drystone.keras import Dataset, EveryStep, WeightedMean
from tests.keras.small import Array, by_step, gathered, loader, numbers_of, sequences

CLOSE = {"rel": 1e-5}
UNEQUAL = [Padded(4), Packed(sequences=4), Stateful(rows=2, steps=4)]  # in rows, steps, real steps or sequences


def fitted(model: keras.Model, data: Dataset, loss: Any, metrics: list[Any], rate: float = 0.0) -> dict[str, float]:
    model.compile(loss=loss, optimizer=keras.optimizers.SGD(rate), weighted_metrics=metrics)
    history = model.fit(data, verbose=0).history
    return {name: float(values[0]) for name, values in history.items()}


def evaluated(model: keras.Model, data: Dataset) -> dict[str, float]:
    return {name: float(value) for name, value in model.evaluate(data, verbose=0, return_dict=True).items()}


def errors(model: keras.Model, seqs: Sequences, target: str) -> list[Array]:
    """Of each sequence, the error at each of its steps (or at its last one, of a target by sequence)."""
    weight, bias = numbers_of(model)
    found = [(each["x"] @ weight + bias)[:, 0] for each in seqs]
    if target == "t":
        return [output - each["t"] for output, each in zip(found, seqs, strict=True)]
    return [output[-1:] - each[target] for output, each in zip(found, seqs, strict=True)]


@pytest.mark.parametrize(("layout", "loss"), [*((each, "mse") for each in UNEQUAL), (Padded(4), WeightedMean("mse"))])
def test_targets_a_step(layout: Layout, loss: Any) -> None:
    seqs, model = sequences(), by_step()
    data = Dataset(loader(layout), x=["x", "reset"], y="t")
    printed = fitted(model, data, loss, ["mae"])
    error = np.concatenate(errors(model, seqs, "t"))
    assert printed == {
        "loss": pytest.approx((error**2).mean(), **CLOSE),
        "mae": pytest.approx(abs(error).mean(), **CLOSE),
    }
    assert evaluated(model, data) == pytest.approx(printed, **CLOSE)


@pytest.mark.parametrize("layout", UNEQUAL, ids=repr)
def test_targets_a_sequence(layout: Layout) -> None:
    seqs, model = sequences(), gathered()
    data = Dataset(loader(layout), x=["x", "ends", "reset"], y="y")
    printed = fitted(model, data, "mse", ["mae"])
    error = np.concatenate(errors(model, seqs, "y"))
    assert printed == {
        "loss": pytest.approx((error**2).mean(), **CLOSE),
        "mae": pytest.approx(abs(error).mean(), **CLOSE),
    }
    assert evaluated(model, data) == pytest.approx(printed, **CLOSE)


def test_targets_a_sequence_one_a_row() -> None:
    seqs = sequences()
    x = keras.Input((None, 2), name="x")
    last = keras.layers.Dense(1)(keras.layers.GlobalMaxPooling1D()(x))
    model = keras.Model(x, last)
    printed = fitted(model, Dataset(loader(Padded(4)), x="x", y="y"), "mse", ["mae"])
    weight, bias = numbers_of(model)
    plan = Padded(4).plan(seqs.lengths, 1)
    longest = {
        int(at): plan.shape(int(batch))[1]
        for at, batch in zip(plan.column("sequence"), plan.column("batch"), strict=True)
    }
    top = [
        np.vstack([each["x"], np.zeros((longest[at] - len(each["x"]), 2))]).max(axis=0) for at, each in enumerate(seqs)
    ]
    error = np.array([(row @ weight + bias)[0] for row in top]) - seqs.field("y").values
    assert printed == {
        "loss": pytest.approx((error**2).mean(), **CLOSE),
        "mae": pytest.approx(abs(error).mean(), **CLOSE),
    }


@pytest.mark.parametrize(("x", "y", "weight"), [(["x", "reset"], "t", "v"), (["x", "ends", "reset"], "y", "w")])
def test_weights_of_ones_own(x: list[str], y: str, weight: str) -> None:
    seqs = sequences()
    model = by_step() if y == "t" else gathered()
    printed = fitted(model, Dataset(loader(Packed(rows=2, steps=9)), x=x, y=y, weight=weight), "mse", ["mae"])
    error, weights = np.concatenate(errors(model, seqs, y)), seqs.field(weight).values
    assert printed["loss"] == pytest.approx((weights * error**2).sum() / weights.sum(), **CLOSE)
    assert printed["mae"] == pytest.approx((weights * abs(error)).sum() / weights.sum(), **CLOSE)


def test_steps_that_are_not_scored_do_not_count() -> None:
    seqs = sequences().ahead("t", [1, 2], name="later")
    model = by_step(outputs=2)
    printed = fitted(model, Dataset(loader(Stateful(rows=2, steps=4), seqs), x=["x", "reset"], y="later"), "mse", [])
    weight, bias = numbers_of(model)
    errors = [
        each["x"][at] @ weight + bias - each["t"][at + 1 : at + 3] for each in seqs for at in range(len(each["t"]) - 2)
    ]
    assert printed["loss"] == pytest.approx((np.array(errors) ** 2).mean(), **CLOSE)


@pytest.mark.filterwarnings("ignore:the losses of single outputs:UserWarning")
def test_two_targets_have_weights_of_their_own() -> None:
    seqs = sequences()
    x, ends, reset = (
        keras.Input((None, 2), name="x"),
        keras.Input((), dtype="int32", name="ends"),
        keras.Input((None,), dtype="bool", name="reset"),
    )
    part = gathered()
    dense = keras.layers.Dense(1, name="t")
    model = keras.Model(
        {"x": x, "ends": ends, "reset": reset}, {"t": dense(x), "y": part({"x": x, "ends": ends, "reset": reset})}
    )
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
    data = Dataset(loader(Packed(sequences=4)), x=["x", "ends", "reset"], y=["t", "y"])
    printed = model.fit(data, verbose=0).history
    kernel, bias = (keras.ops.convert_to_numpy(each + 0).astype(np.float64) for each in dense.trainable_variables)
    of_steps = np.concatenate([(each["x"] @ kernel + bias)[:, 0] - each["t"] for each in seqs])
    of_sequences = np.concatenate(errors(part, seqs, "y"))
    assert float(printed["loss"][0]) == pytest.approx((of_steps**2).mean() + (of_sequences**2).mean(), **CLOSE)


@pytest.mark.parametrize("layout", [Padded(4), Packed(sequences=4)], ids=repr)
def test_each_update_of_weighted_mean_is_the_contracts(layout: Layout) -> None:
    seqs, model, rate = sequences(), by_step(), 0.1
    model.build([None, None, 2])
    weight, bias = numbers_of(model)
    total = squared = 0.0
    for batch in loader(layout):
        at = batch.scored
        x, error = batch["x"][at], (batch["x"][at] @ weight)[:, 0] + bias - batch["t"][at]
        squared, total = squared + (error**2).sum(), total + at.sum()
        weight = weight - rate * 2 * (x * error[:, None]).mean(axis=0)[:, None]
        bias = bias - rate * 2 * error.mean()
    printed = fitted(model, Dataset(loader(layout), x=["x", "reset"], y="t"), WeightedMean("mse"), [], rate)
    assert total == seqs.num_steps
    assert printed["loss"] == pytest.approx(squared / total, **CLOSE)
    for found, expected in zip(numbers_of(model), (weight, bias), strict=True):
        assert np.allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_masks_of_layers_leave_weighted_mean_alone() -> None:
    x = keras.Input((None, 2), name="x")
    model = keras.Model(x, keras.layers.Dense(1)(keras.layers.Masking(0.0)(x)))
    printed = fitted(model, Dataset(loader(Padded(4)), x="x", y="t"), WeightedMean("mse"), ["mae"])
    error = np.concatenate(errors(model, sequences(), "t"))
    assert printed == {
        "loss": pytest.approx((error**2).mean(), **CLOSE),
        "mae": pytest.approx(abs(error).mean(), **CLOSE),
    }


def test_metrics_that_count_take_every_step_for_one() -> None:
    seqs, model = sequences(), by_step()
    metrics = [
        EveryStep(keras.metrics.Precision(0.0, name="precision")),
        EveryStep(keras.metrics.MeanAbsoluteError(name="mae")),
    ]
    printed = fitted(model, Dataset(loader(Padded(4)), x=["x", "reset"], y="k"), "mse", metrics)
    weight, bias = numbers_of(model)
    output = np.concatenate([(each["x"] @ weight + bias)[:, 0] for each in seqs])
    k = seqs.field("k").values
    assert printed["precision"] == pytest.approx(k[output > 0].mean(), **CLOSE)
    assert printed["mae"] == pytest.approx(abs(output - k).mean(), **CLOSE)


@pytest.mark.parametrize(
    "loss",
    ["mse", "binary_crossentropy", keras.losses.BinaryCrossentropy(), keras.losses.Huber(), lambda y, p: abs(y - p)],
)
def test_weighted_mean_is_that_of_any_loss(loss: Any) -> None:
    rng = np.random.default_rng(0)
    y, output, weight = rng.integers(0, 2, (3, 4, 1)), rng.random((3, 4, 1)).astype("float32"), rng.random((3, 4))
    single = [float(WeightedMean(loss)(y[[i]][:, [j]], output[[i]][:, [j]])) for i in range(3) for j in range(4)]
    plain = keras.losses.get(loss)
    if not callable(loss):
        assert single[0] == pytest.approx(
            float(keras.ops.mean(plain(y[0, :1].astype("float32"), output[0, :1]))), rel=1e-5
        )
    printed = float(WeightedMean(loss)(y, output, weight.astype("float32")))
    assert printed == pytest.approx((np.array(single).reshape(3, 4) * weight).mean(), rel=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_weighted_mean_of_half_precision_outputs_is_computed_in_float32(dtype: str) -> None:
    labels, sure = np.array([[[2049], [3001]]]), np.zeros((1, 2, 4000), "float32")
    sure[0, [0, 1], labels[0, :, 0]] = 16.0  # neither label is a number of half precision
    loss = WeightedMean(keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert float(loss(labels, keras.ops.cast(sure, dtype))) < 1e-3
    many = np.ones((70, 1000, 1), "float32")  # their sum is beyond the largest float16
    assert float(WeightedMean("mse")(0 * many, keras.ops.cast(many, dtype), many[..., 0])) == pytest.approx(1)


def test_losses_and_metrics_save_and_load() -> None:
    loss = keras.losses.deserialize(keras.losses.serialize(WeightedMean("mse")))
    assert isinstance(loss, WeightedMean)
    assert loss.get_config() == WeightedMean("mse").get_config()
    metric = keras.metrics.deserialize(
        keras.metrics.serialize(EveryStep(keras.metrics.AUC(num_thresholds=7), name="area"))
    )
    assert (metric.name, metric.metric.num_thresholds) == ("area", 7)
    assert WeightedMean("mse")(np.zeros((1, 2, 1)), np.ones((1, 2, 1)), np.zeros((1, 2))) == 0
