"""What would mislead is said before training: metrics without weights, masks twice, targets of another shape."""

import warnings
from typing import Any

import keras
import pytest

from drystone import DataError, Layout, Packed, Padded, Stateful
from drystone.keras import Dataset, EveryStep, WeightedMean, check
from tests.keras.small import by_step, gathered, loader


def dataset(layout: Layout, y: str = "t", **rest: Any) -> Dataset:
    return Dataset(loader(layout), x=["x", "reset"], y=y, **rest)


def compiled(model: keras.Model, **arguments: Any) -> keras.Model:
    model.compile(**({"loss": "mse"} | arguments))
    return model


def test_fit_warns_of_plain_metrics_once() -> None:
    model, data = compiled(by_step(), metrics=["mae", keras.metrics.MeanSquaredError()]), dataset(Padded(4))
    words = r"metrics=\['mae', 'MeanSquaredError'\] takes no notice.*weighted_metrics="
    with pytest.warns(UserWarning, match=words):
        model.evaluate(data, verbose=0)
    model.evaluate(data, verbose=0)  # a second warning would be an error


@pytest.mark.parametrize("layout", [Padded(4), Packed(sequences=4), Stateful(rows=2, steps=4)], ids=repr)
def test_plain_metrics_are_warned_of_where_padding_counts(layout: Layout) -> None:
    with pytest.warns(UserWarning, match="padding counts in it like real steps"):
        check(compiled(by_step(), metrics=["mae"]), dataset(layout))


def test_plain_metrics_are_right_where_all_weights_are_equal() -> None:
    one_a_row = Dataset(loader(Padded(1)), x=["x", "reset"], y="t")
    check(compiled(by_step(), metrics=["mae"]), one_a_row)
    with pytest.warns(UserWarning, match="takes no notice of weights"):
        check(compiled(by_step(), metrics=["mae"]), dataset(Padded(1), weight="v"))


def test_filler_ends_count_in_plain_metrics() -> None:
    data = Dataset(loader(Packed(sequences=4)), x=["x", "reset", "ends"], y="y")
    with pytest.warns(UserWarning, match="padding counts in it"):
        check(compiled(gathered(), metrics=["mae"]), data)


def test_metrics_that_count_are_warned_of_where_steps_differ() -> None:
    model = compiled(by_step(), weighted_metrics=[keras.metrics.AUC(), "mae"])
    with pytest.warns(UserWarning, match=r"weighted_metrics=\['AUC'\]: a metric that is no mean.*EveryStep"):
        check(model, dataset(Padded(4), "k"))
    check(model, dataset(Stateful(rows=2, steps=4), "k"))
    check(compiled(by_step(), weighted_metrics=[EveryStep(keras.metrics.AUC())]), dataset(Padded(4), "k"))


def test_losses_of_single_outputs_are_warned_of_where_keras_forgets_rows() -> None:
    x = keras.Input((None, 2), name="x")
    model = compiled(keras.Model(x, {name: keras.layers.Dense(1, name=name)(x) for name in ("t", "n")}))
    uneven, even = (Dataset(loader(Padded(rows)), x="x", y=["t", "n"]) for rows in (4, 11))
    check(model, even)  # a warning would be an error
    if keras.backend.backend() == "tensorflow":
        with pytest.warns(UserWarning, match=r"\['t', 'n'\].* means over batches.*weighted_metrics="):
            check(model, uneven)
        model.run_eagerly = True
    check(model, uneven)


def test_masks_of_layers_are_warned_of() -> None:
    x = keras.Input((None, 2), name="x")
    model = keras.Model(x, keras.layers.Dense(1)(keras.layers.Masking(0.0)(x)))
    data = Dataset(loader(Padded(4)), x="x", y="t")
    with pytest.warns(UserWarning, match="divides the loss by the mask a second time.*WeightedMean"):
        check(compiled(model), data)
    check(compiled(model, loss=WeightedMean("mse")), data)


def test_losses_that_cannot_be_saved_are_no_obstacle() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(compiled(by_step(), loss=lambda y, output: keras.ops.abs(y - output)), dataset(Padded(4)))


def test_targets_have_to_be_of_the_models_shape() -> None:
    x = keras.Input((None, 2), name="x")
    one = keras.Model(x, keras.layers.Dense(1)(keras.layers.GlobalMaxPooling1D()(x)))
    with pytest.raises(
        DataError, match="target 't' has a value a step, and the model's output is .*return_sequences=True"
    ):
        check(one, Dataset(loader(Padded(4)), x="x", y="t"))
    each = keras.Model(x, keras.layers.Dense(1)(x))
    each.compile(loss="mse")
    with pytest.raises(DataError, match="target 'y' has one value a sequence, and the model's output is .*BySequence"):
        each.fit(Dataset(loader(Padded(4)), x="x", y="y"), verbose=0)
    check(one, Dataset(loader(Padded(4)), x="x", y="y"))
    check(each, Dataset(loader(Padded(4)), x="x", y="t"))
    check(each, Dataset(loader(Padded(4)), x="x", y=None))


def test_models_whose_outputs_are_not_known_yet_pass() -> None:
    check(keras.Sequential([keras.layers.Dense(1)]), Dataset(loader(Padded(4)), x="x", y="t"))
